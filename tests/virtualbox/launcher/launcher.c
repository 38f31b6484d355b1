#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static void *library(const char *path) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (!handle) { fprintf(stderr, "%s\n", dlerror()); exit(1); }
    return handle;
}
int main(int argc, char **argv, char **environment) {
    void *runtime = library("/usr/lib/virtualbox/VBoxRT.so");
    int (*init)(int, char ***, uint32_t) = dlsym(runtime, "RTR3InitExe");
    int (*support)(uint32_t, void **) = dlsym(runtime, "SUPR3InitEx");
    int rc = init(argc, &argv, 0);
    if (rc >= 0) rc = support(4 | 8, NULL);
    if (rc < 0) { fprintf(stderr, "init: %d\n", rc); return 1; }
    void *headless = library("/usr/lib/virtualbox/VBoxHeadless.so");
    int (*trusted)(int, char **, char **) = dlsym(headless, "TrustedMain");
    return trusted(argc, argv, environment);
}
