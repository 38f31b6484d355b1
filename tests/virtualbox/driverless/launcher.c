/*
 * VBoxHeadless for computers without VirtualBox's kernel driver: installed in place of the original, which
 * insists on the driver. It starts VirtualBox's own VBoxHeadless.so in driverless mode, and changes what a
 * machine is made of (not its settings) where that mode needs it: see machine.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "launcher.h"

enum { DRIVERLESS = 4, DRIVERLESS_INTERPRETED = 8 };

int main(int argc, char **argv, char **environment) {
    if (getenv("KINSTALL_TEST_NO_DRIVER")) {
        execv("/usr/lib/virtualbox/VBoxHeadless.original", argv);
        fail("the original isn't there", errno);
    }
    crash_where_asked("early");
    void *runtime = library("VBoxRT.so");
    int (*start_runtime)(int, char ***, uint32_t) = symbol(runtime, "RTR3InitExe");
    int (*start_support)(uint32_t, void **) = symbol(runtime, "SUPR3InitEx");
    int result = start_runtime(argc, &argv, 0);
    if (result >= 0) result = start_support(DRIVERLESS | DRIVERLESS_INTERPRETED, NULL);
    if (result < 0) fail("VirtualBox's runtime doesn't start", result);
    take_over_machine_creation(library("VBoxVMM.so"));
    int (*run)(int, char **, char **) = symbol(library("VBoxHeadless.so"), "TrustedMain");
    return run(argc, argv, environment);
}

void *library(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "/usr/lib/virtualbox/%s", name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!handle) fail(dlerror(), 0);
    return handle;
}

void *symbol(void *library, const char *name) {
    void *address = dlsym(library, name);
    if (!address) fail(dlerror(), 0);
    return address;
}

void fail(const char *what, int code) {
    fprintf(stderr, "VBoxHeadless: %s (%d)\n", what, code);
    exit(1);
}

void crash_where_asked(const char *when) {
    char path[512];
    const char *folder = getenv("KINSTALL_TEST_CRASH");
    if (!folder) return;
    snprintf(path, sizeof path, "%s/crash-%s", folder, when);
    if (unlink(path) == 0) abort();
}
