# Adds the key on standard input to the login user's authorized_keys; says "added" or "present".
umask 077;
IFS= read -r line || exit 1;
set -f; set -- $line;
cd && mkdir -p .ssh && chmod go-w . .ssh || exit 1;
file=.ssh/authorized_keys;
if [ -f $file ] && grep -qF "$1 $2" $file; then echo present; exit 0; fi;
if [ -s $file ] && [ -n "$(tail -c 1 $file)" ]; then echo >> $file || exit 1; fi;
echo "$line" >> $file && chmod 600 $file || exit 1;
if command -v restorecon > /dev/null; then restorecon -R .ssh; fi;
echo added;
