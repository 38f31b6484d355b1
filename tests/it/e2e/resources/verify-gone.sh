# Looks at the node with its own tools when the playbook is gone.
set -eux
[ "$(ls /etc/kinstall-test)" = settings ]
tail -n 1 /etc/kinstall-test/settings | grep -q 'by hand'
[ ! -e /etc/systemd/system/kinstall-test.service ]
[ ! -e /etc/systemd/system/multi-user.target.wants/kinstall-test.service ]
[ "$(systemctl show -p LoadState,ActiveState --value kinstall-test)" = "$(printf 'not-found\ninactive')" ]
[ "$(systemctl show -p NeedDaemonReload --value kinstall-idle)" = no ]
! getent hosts nowhere.example.com
! grep -q log_martians /etc/sysctl.d/99-zz-kinstall.conf
# Of the playbooks that are there still, and of others.
grep -q '^net.ipv4.ip_forward' /etc/sysctl.d/99-zz-kinstall.conf || sysctl -n net.ipv4.ip_forward
[ -e /etc/systemd/system/containerd.service ]
[ -e /etc/systemd/system/kinstall-idle.service ]
grep -q 'BEGIN kinstall cluster hosts' /etc/hosts
[ -e /root/created ]
