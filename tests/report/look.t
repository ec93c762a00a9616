#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The report in a browser: light, dark, as narrow as a phone, and on paper. What can be measured is measured;
# the pictures are left in build/results/report for people to look at. From the top of the tree, by
# "make test-report".
set -u

browser=chromium-headless-shell
pictures=build/results/report-pictures
dir=$(mktemp -d /tmp/shk-report.XXXXXX)
trap 'rm -rf "$dir"' EXIT

n=0 failed=0
ok() {
	local text=$1 output
	shift
	n=$((n + 1))
	if output=$("$@" 2>&1); then
		echo "ok $n - $text"
	else
		failed=1
		echo "not ok $n - $text"
		printf '#   %s\n' "$*" "$output"
	fi
}

# browse WHAT ARGUMENTS...: WHAT is light or dark
browse() {
	local scheme=1
	[[ $1 == light ]] || scheme=0
	shift
	timeout 120 "$browser" --no-sandbox --disable-gpu --hide-scrollbars --allow-file-access-from-files \
		--user-data-dir="$dir/profile" --blink-settings=preferredColorScheme=$scheme "$@" 2>>"$dir/log"
}

# measure WIDTH SCHEME
measure() {
	browse "$2" --virtual-time-budget=5000 --dump-dom "file://$dir/measure.html#$1" |
		sed -n 's/.*<body>\({.*}\)<\/body>.*/\1/p' >"$dir/measured"
	[[ -s $dir/measured ]]
}

is_true() {
	jq -e "$1" "$dir/measured" >/dev/null || { cat "$dir/measured"; return 1; }
}

# picture NAME WIDTH HEIGHT SCHEME
picture() {
	browse "$4" --window-size="$2,$3" --screenshot="$PWD/$pictures/$1.png" "file://$dir/page.html" &&
		[[ $(stat -c %s "$pictures/$1.png") -gt 50000 ]]
}

print() {
	browse light --no-pdf-header-footer --print-to-pdf="$PWD/$pictures/$1.pdf" "file://$dir/page.html" &&
		[[ $(head -c 5 "$pictures/$1.pdf") == %PDF- ]]
}

mkdir -p "$pictures"
cp tests/report/measure.html "$dir"
for page in good all; do
	build/tests/report_page ${page#all} >"$dir/page.html"
	ok "$page: it is well-formed XML" xmllint --noout --nonet "$dir/page.html"
	for look in "light 1100" "dark 1100" "light 390" "dark 390"; do
		read -r scheme width <<<"$look"
		ok "$page, $look: it opens" measure "$width" "$scheme"
		ok "$page, $look: it has the colours asked for" is_true ".dark == (\"$scheme\" == \"dark\")"
		ok "$page, $look: nothing is wider than the page" is_true ".width == $width and .content <= $width"
		ok "$page, $look: every picture is there" is_true '.pictures >= 5 and .flat == 0'
		ok "$page, $look: no text leaves its picture" is_true '.text_outside == []'
		ok "$page, $look: no text lies on another" is_true '.text_overlaps == 0'
		ok "$page, $look: text is large enough" is_true '.smallest_text >= 9.5'
		ok "$page, $look: and stands out (WCAG 2.1 AA)" is_true '.lowest_contrast >= 4.5'
		ok "$page, $look: a picture of it" picture "$page-$scheme-$width" "$width" $((width > 400 ? 4200 : 7000)) "$scheme"
	done
	ok "$page: on paper" print "$page"
done
echo "1..$n"
exit "$failed"
