/*
 * Changes the tree from which VirtualBox makes a machine, once VirtualBox has filled it from the settings:
 * the CPU is interpreted, and a host-only card, which is the driver's work, becomes a tap device.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "launcher.h"

typedef struct Node Node;
typedef int Constructor(void *machine, void *shared, const void *functions, void *context);
typedef int Create(uint32_t cpus, const void *methods, uint64_t flags, void *on_error, void *error_context,
                   Constructor *constructor, void *context, void **shared, void **machine);

static Create *original_create;
static Constructor *original_constructor;
static Node *(*root)(void *machine);
static Node *(*child)(Node *, const char *path);
static Node *(*first_child)(Node *);
static Node *(*next_child)(Node *);
static int (*query_string)(Node *, const char *name, char *text, size_t size);
static int (*insert_node)(Node *, const char *name, Node **inserted);
static int (*insert_integer)(Node *, const char *name, uint64_t value);
static int (*insert_string)(Node *, const char *name, const char *text);
static int (*remove_value)(Node *, const char *name);
static void (*remove_node)(Node *);

static void set(Node *top, const char *path, const char *name, uint64_t value) {
    Node *node = child(top, path);
    if (!node && insert_node(top, path, &node) < 0) fail(path, 0);
    remove_value(node, name);
    insert_integer(node, name, value);
}

/* A card is Devices/<kind>/<number>; what it is plugged into is its LUN#0. */
static void plug_into_tap(Node *card) {
    char driver[64], bridge[64];
    Node *plug = child(card, "LUN#0");
    if (!plug || query_string(plug, "Driver", driver, sizeof driver) < 0 || strcmp(driver, "IntNet") != 0) return;
    Node *config = child(plug, "Config");
    if (!config || query_string(config, "Trunk", bridge, sizeof bridge) < 0) return;
    int tap = tap_on_bridge(bridge);
    if (tap < 0) return;
    remove_node(config);
    remove_value(plug, "Driver");
    insert_string(plug, "Driver", "HostInterface");
    insert_node(plug, "Config", &config);
    insert_integer(config, "FileHandle", (uint64_t)tap);
}

static int construct(void *machine, void *shared, const void *functions, void *context) {
    int result = original_constructor(machine, shared, functions, context);
    if (result < 0) return result;
    Node *top = root(machine);
    set(top, "EM", "IemExecutesAll", 1);
    set(top, "EM", "IemRecompiled", 1);
    set(top, "HM", "FallbackToIEM", 1);
    set(top, "HM", "FallbackToNEM", 0);
    for (Node *kind = first_child(child(top, "Devices")); kind; kind = next_child(kind))
        for (Node *card = first_child(kind); card; card = next_child(card)) plug_into_tap(card);
    return result;
}

static int create(uint32_t cpus, const void *methods, uint64_t flags, void *on_error, void *error_context,
                  Constructor *constructor, void *context, void **shared, void **machine) {
    crash_where_asked("late");
    original_constructor = constructor;
    return original_create(cpus, methods, flags, on_error, error_context, construct, context, shared, machine);
}

void take_over_machine_creation(void *monitor) {
    original_create = (Create *)symbol(monitor, "VMR3Create");
    root = symbol(monitor, "CFGMR3GetRootU");
    child = symbol(monitor, "CFGMR3GetChild");
    first_child = symbol(monitor, "CFGMR3GetFirstChild");
    next_child = symbol(monitor, "CFGMR3GetNextChild");
    query_string = symbol(monitor, "CFGMR3QueryString");
    insert_node = symbol(monitor, "CFGMR3InsertNode");
    insert_integer = symbol(monitor, "CFGMR3InsertInteger");
    insert_string = symbol(monitor, "CFGMR3InsertString");
    remove_value = symbol(monitor, "CFGMR3RemoveValue");
    remove_node = symbol(monitor, "CFGMR3RemoveNode");

    /* Others call these functions through a table of pointers, so one pointer has to change. */
    const void *(*table)(void) = symbol(monitor, "VMMR3GetVTable");
    Create **entry = (Create **)table();
    for (int index = 0; *entry != original_create; entry++)
        if (++index > 64) fail("VMR3Create isn't where it was in VirtualBox 7.2", 0);
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *page = (void *)((uintptr_t)entry & ~(size - 1));
    if (mprotect(page, size, PROT_READ | PROT_WRITE) != 0) fail("VirtualBox's functions can't be replaced", 0);
    *entry = create;
}
