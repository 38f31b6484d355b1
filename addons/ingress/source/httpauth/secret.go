package auth

import "strings"

// CheckSecret tells whether a password is the one that a line of htpasswd has the secret of. Traefik's fork of this
// library has it, which no module proxy has.
func CheckSecret(password, secret string) bool {
	compare := compareFuncs[0].compare
	for _, known := range compareFuncs[1:] {
		if strings.HasPrefix(secret, known.prefix) {
			compare = known.compare
			break
		}
	}
	return compare([]byte(secret), []byte(password)) == nil
}
