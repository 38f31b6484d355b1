# Runs on a machine; every line must succeed.
set -ex
for controller in memory cpu cpuset pids; do
	group=/sys/fs/cgroup/$controller
	if [ ! -d $group ]; then
		group=/sys/fs/cgroup
		grep -w $controller $group/cgroup.controllers
	fi
	mkdir $group/kubepods
	rmdir $group/kubepods
done
systemctl set-property --runtime dbus.service MemoryMax=256M
[ "$(cat /proc/sys/vm/overcommit_memory /proc/sys/vm/panic_on_oom /proc/sys/kernel/panic | xargs)" = '1 0 10' ]
sysctl -q -w kernel.panic_on_oops=1 net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
ip link add flannel.1 type vxlan id 1 local 192.168.56.21 dev host0 dstport 8472 nolearning
ip link add cni0 type bridge
nft add table ip test
nft add chain ip test nat '{ type nat hook postrouting priority 100; }'
nft add rule ip test nat ip daddr 10.0.0.0/8 masquerade
nft add rule ip test nat fib daddr type local numgen random mod 2 vmap '{ 0 : accept, 1 : drop }'
nft delete table ip test
iptables -t nat -N TEST
for name in containerd kubelet etcd kinstall; do
	[ "$(findmnt -n -o FSTYPE /var/lib/$name)" != overlay ]
done
cd /var/lib/containerd
mkdir lower upper work merged
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
umount merged
[ -c /dev/kmsg ]
[ -z "$(swapon --show)" ]
[ "$(findmnt -n -o PROPAGATION /)" = shared ]
[ -d "/lib/modules/$(uname -r)" ]
[ -z "$(systemctl --failed --no-legend)" ]
