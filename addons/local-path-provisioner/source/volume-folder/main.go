// volume-folder makes or removes the folder of a volume. local-path-provisioner runs it on the
// volume's node, in a pod that has the folder above mounted, in place of a shell and its scripts.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	path := flag.String("p", "", "folder of the volume")
	action := flag.String("a", "", "create or delete")
	flag.String("s", "", "size in bytes, which a folder can't keep to")
	flag.String("m", "", "Filesystem or Block")
	flag.Parse()
	if err := do(*action, *path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func do(action, path string) error {
	if !filepath.IsAbs(path) || filepath.Dir(filepath.Clean(path)) == "/" {
		return fmt.Errorf("%q is no folder of a volume", path)
	}
	switch action {
	case "create":
		if err := os.MkdirAll(path, 0o777); err != nil {
			return err
		}
		// Pods of any user write there, whatever the umask is.
		return os.Chmod(path, 0o777)
	case "delete":
		return os.RemoveAll(path)
	}
	return fmt.Errorf("%q is neither create nor delete", action)
}
