# What the playbook has to change on a fresh machine.
set -eu
touch /etc/kinstall-unwanted
printf '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n' > /etc/systemd/system/kinstall-idle.service
systemctl daemon-reload
systemctl enable --quiet --now kinstall-idle.service
