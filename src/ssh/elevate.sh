# Arguments: how to become root, then a script and its arguments, as `sh -c` takes them.
how=$1; shift;
if [ "$how" = no ] || [ "$(id -u)" = 0 ]; then exec sh -c "$@"; fi;
if command -v sudo > /dev/null; then :; else echo "kinstall-bootstrap failed no-sudo"; exit 97; fi;
# The texts that sudo prints are compared, so they mustn't be translated.
if [ "$how" = password ]; then
exec env LC_ALL=C sudo -S -p "kinstall-password:" sh -c "$@";
else
exec env LC_ALL=C sudo -n sh -c "$@";
fi;
