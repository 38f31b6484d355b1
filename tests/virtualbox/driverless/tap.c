/* A tap device on a bridge; it goes with the process. */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/sockios.h>

#include "launcher.h"

int tap_on_bridge(const char *bridge) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (tap >= 0 && control >= 0 && ioctl(tap, TUNSETIFF, &request) == 0 && ioctl(control, SIOCGIFFLAGS, &request) == 0) {
        struct ifreq port = {.ifr_ifindex = (int)if_nametoindex(request.ifr_name)};
        snprintf(port.ifr_name, sizeof port.ifr_name, "%s", bridge);
        request.ifr_flags |= IFF_UP;
        if (ioctl(control, SIOCSIFFLAGS, &request) == 0 && ioctl(control, SIOCBRADDIF, &port) == 0) {
            close(control);
            return tap;
        }
    }
    perror("VBoxHeadless: no tap device for the host-only network");
    if (tap >= 0) close(tap);
    if (control >= 0) close(control);
    return -1;
}
