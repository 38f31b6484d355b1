# What the playbook has to change on a fresh machine.
set -eu
touch /etc/kinstall-unwanted
printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/kinstall-idle.service
systemctl daemon-reload
systemctl enable --quiet --now kinstall-idle.service
# Its program was away for so long that systemd gave up, and doesn't start it although it is back.
printf '[Unit]\nStartLimitIntervalSec=1h\n[Service]\nType=exec\nExecStart=/usr/local/bin/kinstall-often infinity\n' > /etc/systemd/system/kinstall-often.service
systemctl daemon-reload
for _ in 1 2 3 4 5; do systemctl start kinstall-often.service || true; done
ln -s /usr/bin/sleep /usr/local/bin/kinstall-often
if systemctl start kinstall-often.service; then echo "systemd starts it" >&2; exit 1; fi
