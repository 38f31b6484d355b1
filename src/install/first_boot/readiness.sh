# Waits until cloud-init is done, and tells what came of it. Variable: limit (seconds).
main() {
  export LC_ALL=C
  waited=0
  if command -v cloud-init > /dev/null && [ -d /run/cloud-init ] && [ ! -e /run/cloud-init/disabled ]; then
    until [ -s /run/cloud-init/result.json ]; do
      if [ "$waited" -ge "$limit" ]; then
        echo "kinstall-late"
        break
      fi
      sleep 1
      waited=$((waited + 1))
    done
    echo "kinstall-result $(tr -d '\n' < /run/cloud-init/result.json)"
  fi
  echo "kinstall-disk $(df -Pk / | tail -n 1 | tr -s ' ' | cut -d ' ' -f 2)"
  echo "kinstall-log"
  tail -n 15 /var/log/cloud-init-output.log 2> /dev/null
  return 0
}
main < /dev/null
