/* What the files of the launcher know of each other. */

/* Loads one of VirtualBox's libraries; ends the program if there is none. */
void *library(const char *name);

/* Finds a function in a library; ends the program if there is none. */
void *symbol(void *library, const char *name);

/* Sees to it that every machine made by this VBoxVMM.so can run without the driver. */
void take_over_machine_creation(void *monitor);

/* Makes a tap device in this network namespace, a port of the bridge; -1 if that can't be. */
int tap_on_bridge(const char *bridge);

/* Ends the program with a message and VirtualBox's code. */
__attribute__((noreturn)) void fail(const char *what, int code);

/* Crashes, once, where a test left the file that asks for it: README.md. */
void crash_where_asked(const char *when);
