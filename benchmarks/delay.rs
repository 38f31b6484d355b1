//! A longer way to a lab: loopback ports that lead to its machines, with every byte late.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use kinstall::provision::Provider as _;
use kinstall::provision::container::ContainerProvider;

use crate::Result;
use crate::lab::{Lab, program};

/// Opens a loopback port that leads to an address in the lab; `one_way` is the time in each direction.
pub fn open(lab: &Lab, target: SocketAddr, one_way: Duration) -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let provider = ContainerProvider {
        cache: "/var/cache/kinstall".into(),
        program: program(),
        mirror: None,
    };
    let machines = lab.machines()?;
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            if let Ok(far) = provider.dial(&machines, target) {
                let _ = carry(&near, &far, one_way);
            }
        }
    });
    Ok(port)
}

fn carry(near: &TcpStream, far: &TcpStream, one_way: Duration) -> std::io::Result<()> {
    for (from, to) in [(near, far), (far, near)] {
        to.set_nodelay(true)?;
        let (from, to) = (from.try_clone()?, to.try_clone()?);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || take(from, &sender));
        thread::spawn(move || give(to, &receiver, one_way));
    }
    Ok(())
}

type Pieces = (Instant, Vec<u8>);

fn take(mut from: TcpStream, sender: &mpsc::Sender<Pieces>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if sender
            .send((Instant::now(), buffer[..count].to_vec()))
            .is_err()
        {
            return;
        }
    }
}

fn give(mut to: TcpStream, receiver: &mpsc::Receiver<Pieces>, one_way: Duration) {
    for (came, bytes) in receiver {
        thread::sleep((came + one_way).saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
