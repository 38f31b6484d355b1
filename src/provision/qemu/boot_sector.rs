//! A disk that says a letter when its processor can do what boot loaders do.
//!
//! It turns protected mode on and returns from an interrupt there, without paging. KVM on some computers (virtual ones
//! above all) runs the firmware, and stops the machine at the first such instruction of the boot loader.

/// What it says, on [`PORT`].
pub(super) const LETTER: u8 = b'w';

/// The port of the processor that it writes to; one that no firmware uses.
pub(super) const PORT: u16 = 0x500;

/// Returns the sector, which the firmware loads at 0x7c00.
pub(super) fn bytes() -> [u8; 512] {
    let mut sector = [0; 512];
    sector[..CODE.len()].copy_from_slice(CODE);
    sector[DESCRIPTORS_AT..][..DESCRIPTORS.len()].copy_from_slice(DESCRIPTORS);
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

const DESCRIPTORS_AT: usize = 0x40;

#[rustfmt::skip]
const CODE: &[u8] = &[
    // 16 bits
    0xfa,                                           // cli
    0x31, 0xc0,                                     // xor ax, ax
    0x8e, 0xd8,                                     // mov ds, ax
    0x66, 0x0f, 0x01, 0x16, 0x58, 0x7c,             // lgdt [0x7c58]
    0x0f, 0x20, 0xc0,                               // mov eax, cr0
    0x0c, 0x01,                                     // or al, 1
    0x0f, 0x22, 0xc0,                               // mov cr0, eax
    0x66, 0xea, 0x1b, 0x7c, 0x00, 0x00, 0x08, 0x00, // jmp 8:0x7c1b, the next line
    // 32 bits
    0x66, 0xb8, 0x10, 0x00,                         // mov ax, 16
    0x8e, 0xd8,                                     // mov ds, ax
    0x8e, 0xd0,                                     // mov ss, ax
    0xbc, 0x00, 0x7c, 0x00, 0x00,                   // mov esp, 0x7c00
    0x9c,                                           // pushfd
    0x6a, 0x08,                                     // push 8
    0x68, 0x31, 0x7c, 0x00, 0x00,                   // push 0x7c31, the line after the next
    0xcf,                                           // iretd
    0x66, 0xba, (PORT & 0xff) as u8, (PORT >> 8) as u8, // mov dx, PORT
    0xb0, LETTER,                                   // mov al, LETTER
    0xee,                                           // out dx, al
    0xf4,                                           // hlt
    0xeb, 0xfd,                                     // jmp to the line before
];

#[rustfmt::skip]
const DESCRIPTORS: &[u8] = &[
    0, 0, 0, 0, 0, 0, 0, 0,
    0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0,             // 8: code, all of the memory
    0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0,             // 16: data, all of the memory
    23, 0, 0x40, 0x7c, 0, 0,                        // their length and address, for lgdt
];
