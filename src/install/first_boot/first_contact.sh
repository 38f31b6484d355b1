# Does for a box without cloud-init what cloud-init does elsewhere; may be run again at any time.
# Variables: name address user authorized_key host_key time_zone proxy mirror login, and cards: "MAC ADDRESS/PREFIX"
# lines, the lab network's card first.

set_name() {
  if command -v hostnamectl > /dev/null; then
    hostnamectl set-hostname "$name" || hostname "$name"
  else
    hostname "$name"
  fi
  echo "$name" > /etc/hostname
  grep -qxF "$address $name" /etc/hosts || echo "$address $name" >> /etc/hosts
  [ -z "$time_zone" ] || timedatectl set-timezone "$time_zone" ||
    ln -sf "/usr/share/zoneinfo/$time_zone" /etc/localtime
}

# Writes a user's authorized_keys: home, user, key. What was there before goes.
authorize() {
  group=$(id -g "$2")
  install -d -m 700 -o "$2" -g "$group" "$1/.ssh"
  echo "$3" > "$1/.ssh/authorized_keys"
  chown "$2:$group" "$1/.ssh/authorized_keys"
  chmod 600 "$1/.ssh/authorized_keys"
  if command -v restorecon > /dev/null; then restorecon -R "$1/.ssh"; fi
}

home_of() {
  getent passwd "$1" | cut -d : -f 6
}

make_user() {
  id "$user" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
  # Without a password, but not expired: some sshds refuse keys for locked accounts.
  usermod -p '*' "$user"
  authorize "$(home_of "$user")" "$user" "$authorized_key"
  echo "$user ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/kinstall
  chmod 440 /etc/sudoers.d/kinstall
}

set_host_key() {
  umask 077
  echo "$host_key" > /etc/ssh/kinstall_key
  ssh-keygen -y -f /etc/ssh/kinstall_key > /etc/ssh/kinstall_key.pub
  rm -f /etc/ssh/ssh_host_*
  mv /etc/ssh/kinstall_key /etc/ssh/ssh_host_ed25519_key
  mv /etc/ssh/kinstall_key.pub /etc/ssh/ssh_host_ed25519_key.pub
  umask 022
  chmod 644 /etc/ssh/ssh_host_ed25519_key.pub
  if command -v restorecon > /dev/null; then restorecon -R /etc/ssh; fi
}

# Finds the card with a MAC address.
card_with() {
  for folder in /sys/class/net/*; do
    if [ "$(cat "$folder/address" 2> /dev/null)" = "$1" ]; then basename "$folder"; return 0; fi
  done
  echo "no network card has the address $1" >&2
  return 1
}

# Keeps addresses with whatever manages the network here.
keep_addresses() {
  if command -v netplan > /dev/null; then
    {
      echo "network:"
      echo "  version: 2"
      echo "  ethernets:"
      echo "$cards" | while read -r mac cidr; do
        echo "    $(card_with "$mac"):"
        echo "      match: { macaddress: \"$mac\" }"
        echo "      dhcp4: false"
        echo "      optional: true"
        echo "      addresses: [\"$cidr\"]"
      done
    } > /etc/netplan/60-kinstall.yaml
    chmod 600 /etc/netplan/60-kinstall.yaml
    netplan apply
  elif systemctl -q is-active systemd-networkd; then
    echo "$cards" | while read -r mac cidr; do
      file=/etc/systemd/network/10-kinstall-$(card_with "$mac").network
      printf '[Match]\nMACAddress=%s\n\n[Network]\nAddress=%s\n' "$mac" "$cidr" > "$file"
      chmod 644 "$file"
    done
    systemctl restart systemd-networkd
  elif command -v ifup > /dev/null && [ -e /etc/network/interfaces ]; then
    mkdir -p /etc/network/interfaces.d
    grep -q '^source.*interfaces\.d' /etc/network/interfaces ||
      echo "source /etc/network/interfaces.d/*" >> /etc/network/interfaces
    echo "$cards" | while read -r mac cidr; do
      card=$(card_with "$mac")
      printf 'allow-hotplug %s\niface %s inet static\n    address %s\n' "$card" "$card" "$cidr"
    done > /etc/network/interfaces.d/kinstall
  elif command -v nmcli > /dev/null; then
    echo "$cards" | while read -r mac cidr; do
      file=/etc/NetworkManager/system-connections/kinstall-$(card_with "$mac").nmconnection
      printf '[connection]\nid=kinstall-%s\ntype=ethernet\n\n[ethernet]\nmac-address=%s\n' \
        "$(card_with "$mac")" "$mac" > "$file"
      printf '\n[ipv4]\nmethod=manual\naddress1=%s\nnever-default=true\n' "$cidr" >> "$file"
      chmod 600 "$file"
      nmcli connection reload
      nmcli connection up "kinstall-$(card_with "$mac")"
    done
  else
    echo "nothing that this program knows manages the network: no netplan, systemd-networkd, ifupdown, NetworkManager" >&2
    return 1
  fi
}

# The addresses are there now as well, whatever the manager did.
set_addresses() {
  echo "$cards" | while read -r mac cidr; do
    card=$(card_with "$mac")
    ip link set "$card" up
    ip address replace "$cidr" dev "$card"
  done
}

# Where packages come from.
set_package_sources() {
  if [ -n "$proxy" ] && [ -d /etc/apt/apt.conf.d ]; then
    for scheme in http https; do echo "Acquire::$scheme::Proxy \"$proxy\";"; done > /etc/apt/apt.conf.d/90kinstall-proxy
  elif [ -n "$proxy" ] && [ -e /etc/dnf/dnf.conf ]; then
    sed -i '/^proxy=/d' /etc/dnf/dnf.conf
    echo "proxy=$proxy" >> /etc/dnf/dnf.conf
  fi
  [ -n "$mirror" ] || return 0
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.sources; do
    # Security updates have mirrors of their own.
    [ ! -e "$file" ] || sed -i -E "/^(deb|URIs:)/{/security/!s#https?://[^ ]+#$mirror#g}" "$file"
  done
}

# The passwords of boxes are as well known as their keys.
lock_passwords() {
  for account in root "$login"; do usermod -p '*' "$account"; done
  line="PasswordAuthentication no"
  # Of several settings sshd takes the first.
  [ "$(sed -n 1p /etc/ssh/sshd_config)" = "$line" ] || sed -i "1i $line" /etc/ssh/sshd_config
}

# The size is checked afterwards, so what isn't there or can't be done is no failure here.
grow_disk() {
  root=$(findmnt -n -o SOURCE /)
  disk=$(lsblk -n -d -o PKNAME "$root")
  number=$(cat "/sys/class/block/$(basename "$root")/partition")
  if [ -n "$disk" ] && [ -n "$number" ]; then
    if command -v growpart > /dev/null; then
      growpart "/dev/$disk" "$number"
    else
      echo ", +" | sfdisk --force --no-reread -N "$number" "/dev/$disk" && partx -u "/dev/$disk"
    fi
  fi
  case $(findmnt -n -o FSTYPE /) in
    ext*) resize2fs "$root" ;;
    xfs) xfs_growfs / ;;
    btrfs) btrfs filesystem resize max / ;;
  esac
}

configure() {
  set -eu
  export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
  case $(cat /var/lib/cloud/data/instance-id 2> /dev/null || true) in
    # cloud-init has taken our disk, and does all the rest.
    kinstall-*) ;;
    *)
      echo "$cards" | while read -r mac cidr; do card_with "$mac" > /dev/null; done
      set_name
      set_package_sources
      make_user
      set_host_key
      keep_addresses
      set_addresses
      ;;
  esac
  lock_passwords
}

main() {
  # As a process of its own, so that a command that fails ends it.
  ( configure ) >&2
  if [ "$?" != 0 ]; then echo "kinstall-failed"; return 0; fi
  case $(cat /var/lib/cloud/data/instance-id 2> /dev/null) in
    kinstall-*) ;;
    *)
      ( grow_disk ) > /dev/null 2>&1
      systemctl restart ssh 2> /dev/null || systemctl restart sshd 2> /dev/null || service ssh restart >&2
      ;;
  esac
  # Last: until here, everybody's key is the way to do it all again.
  authorize "$(home_of "$login")" "$login" "$authorized_key"
  echo "kinstall-done"
}
main < /dev/null
