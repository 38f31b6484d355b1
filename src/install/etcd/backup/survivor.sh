# Saves what this member of etcd has on its disk to $1/snapshot.db, and tells what is in it, as JSON. For a member without a
# majority: it knows no leader, and may not even serve. Ends with code 8 where it has one.
set -eu
folder=$1
failed() { tail -n 3 "$folder/log" >&2; exit 1; }
own=$(readlink /proc/self/ns/net /proc/self/ns/user)
# Its process, if it runs; a pod's program of that name is in namespaces of its own.
member() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/exe") in */etcd)
            if [ "$(readlink "$process/ns/net" "$process/ns/user")" = "$own" ] && [ -x "$process/root/usr/local/bin/etcdutl" ]; then
                echo "${process#/proc/}"
                return
            fi ;;
        esac
    done
}
# Without a majority it may be started again and again: its programs are copied at once.
tries=0
until pid=$(member) && [ -n "$pid" ] && cp "/proc/$pid/root/usr/local/bin/etcd" "/proc/$pid/root/usr/local/bin/etcdctl" \
    "/proc/$pid/root/usr/local/bin/etcdutl" "$folder/" 2> "$folder/log"; do
    tries=$((tries + 1))
    [ "$tries" -lt 320 ] || { echo "etcd does not run here, and was not started in 5 minutes: journalctl --unit kubelet" >&2; exit 1; }
    sleep 1
done
pki=/etc/kubernetes/pki/etcd
leader=$("$folder/etcdctl" --endpoints=https://127.0.0.1:2379 --cacert="$pki/ca.crt" --cert="$pki/healthcheck-client.crt" \
    --key="$pki/healthcheck-client.key" --command-timeout=5s endpoint status --write-out=fields 2> /dev/null |
    sed -n 's/^"Leader" : //p')
if [ "${leader:-0}" != 0 ]; then
    exit 8
fi
needed=$((3 * $(du -sm /var/lib/etcd/member | cut -f 1) + 160))
free=$(($(df --output=avail -B1 "$folder" | tail -n 1) / 1048576))
if [ "$free" -lt "$needed" ]; then
    echo "a copy of etcd's data needs $needed MiB, and $folder has $free MiB left" >&2
    exit 1
fi

# It stands still while it is copied, so that the parts of the copy belong together.
trial=
trap '[ -z "$trial" ] || kill "$trial" 2> /dev/null || true; kill -CONT "$pid" 2> /dev/null || true' EXIT
trap 'exit 1' HUP INT TERM PIPE
kill -STOP "$pid" 2> "$folder/log" || failed
mkdir "$folder/copy"
cp -a /var/lib/etcd/member "$folder/copy/" 2> "$folder/log" || failed
# The kubelet may have started it again meanwhile.
[ "$(sed -n 's/^State:[[:space:]]*//p' "/proc/$pid/status" 2> /dev/null | cut -c 1)" = T ] ||
    { echo "etcd was started again while its data was copied: try once more" >&2; exit 1; }
kill -CONT "$pid" 2> /dev/null || true

# Alone, it is its own majority. Only root can reach it: its sockets are files in a folder of root's.
"$folder/etcd" --data-dir="$folder/copy" --force-new-cluster --listen-client-urls="unix://$folder/client" \
    --advertise-client-urls="unix://$folder/client" --listen-peer-urls="unix://$folder/peer" > "$folder/log" 2>&1 &
trial=$!
etcd() { "$folder/etcdctl" --endpoints="unix://$folder/client" "$@"; }
tries=0
until keys=$(etcd --command-timeout=5s get "" --from-key --count-only --write-out=fields 2> /dev/null | sed -n 's/^"Count" : //p') &&
    [ -n "$keys" ]; do
    kill -0 "$trial" 2> /dev/null || failed
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || failed
    sleep 0.2
done
etcd snapshot save "$folder/snapshot.db" > "$folder/log" 2>&1 || failed
kill "$trial"
{ wait "$trial" || true; } 2> /dev/null
trial=

revision=$("$folder/etcdutl" snapshot status "$folder/snapshot.db" --write-out=json | sed 's/.*"revision":\([0-9]*\).*/\1/')
version=$("$folder/etcd" --version | sed -n 's/^etcd Version: //p')
kubernetes=$(sed -n 's/.*image: .*kube-apiserver:v//p' /etc/kubernetes/manifests/kube-apiserver.yaml)
printf '{"created":"%s","kubernetes":"%s","etcd":"%s","revision":%s,"keys":%s,"size":%s,"sha256":"%s"}' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$kubernetes" "$version" "$revision" "$keys" "$(stat -c %s "$folder/snapshot.db")" \
    "$(sha256sum < "$folder/snapshot.db" | cut -d ' ' -f 1)"
