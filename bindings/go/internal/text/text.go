// Package text escapes foreign text for a line of a log.
package text

import (
	"fmt"
	"strings"
	"unicode"
)

// Escape shows control characters, and those that reorder text, as \u{1b}, so that text cannot forge lines.
func Escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
