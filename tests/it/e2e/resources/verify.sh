# Looks at the node with its own tools.
set -eux
[ "$(stat -c %a /etc/kinstall-test)" = 750 ]
[ "$(cat /etc/kinstall-test/link)" = answer=42 ]
[ "$(stat -c '%a %U' /etc/kinstall-test/secret)" = "600 root" ]
[ ! -e /etc/kinstall-unwanted ]
getent hosts nowhere.example.com
[ -z "$(tail -n +2 /proc/swaps)" ] || [ "$(systemd-detect-virt --container)" != none ]
[ "$(sysctl -n net.ipv4.conf.all.log_martians)" = 1 ]
grep -q '^net.ipv4.conf.all.log_martians = 1$' /etc/sysctl.d/99-zz-kinstall.conf
[ "$(systemctl is-active kinstall-test)" = active ]
[ "$(systemctl is-enabled kinstall-test)" = enabled ]
[ "$(systemctl is-active kinstall-often)" = active ]
[ "$(systemctl is-active kinstall-idle || true)" = inactive ]
[ "$(systemctl is-enabled kinstall-idle || true)" = disabled ]
[ "$(sort /root/commands)" = "$(printf 'creates\nfrom the input\nonce')" ]
[ ! -e /root/input ]
ctr -n k8s.io images check | grep -q 'kinstall.local/pause.*complete'
# Nothing half done and nothing private is left behind.
[ -z "$(find /etc /usr /root /var /opt -name '.*.kinstall')" ]
[ -z "$(find /var/lib/kinstall -type f -perm /077 ! -path '*/agent/*')" ]
[ ! -e /var/lib/kinstall/blobs ]
