# Everything of the node that resources can change, as text.
set -eu
find /etc /usr /root /var \
    \( -path /var/log -o -path /var/tmp -o -path /var/lib/systemd -o -path /var/lib/containerd \) -prune -o -print |
    sort | xargs -d '\n' stat -c '%n %a %u:%g %s %Y'
sysctl -n net.ipv4.conf.all.log_martians net.ipv4.ip_forward
cat /proc/swaps
[ ! -e /proc/modules ] || cut -d ' ' -f 1 /proc/modules
systemctl show -p Id,ActiveState,UnitFileState,ExecMainStartTimestampMonotonic \
    kinstall-test.service kinstall-idle.service kinstall-often.service containerd.service kubelet.service
