# SPDX-License-Identifier: GPL-2.0-or-later
# Copyright the hotbay authors
# shellcheck shell=bash
#
# Completion of hotbayctl for bash. Drives and slots are asked for as they are at the moment.

# _hotbayctl_vm WORD...: the socket that the words name, or else the environment.
_hotbayctl_vm() {
	local vm=${HOTBAY_VM:-}
	while [ $# -gt 0 ]; do
		case $1 in
		--vm) vm=${2:-} ;;
		--vm=*) vm=${1#--vm=} ;;
		esac
		shift
	done
	printf '%s' "$vm"
}

# _hotbayctl_command WORD...: the first word that is neither an option nor an option's value.
_hotbayctl_command() {
	while [ $# -gt 0 ]; do
		case $1 in
		--vm | --root) shift ;;
		-*) ;;
		*) printf '%s' "$1"; return ;;
		esac
		shift
	done
}

_hotbayctl() {
	local words=("${COMP_WORDS[@]:1:COMP_CWORD-1}") word=${COMP_WORDS[COMP_CWORD]} choices='' vm
	COMPREPLY=()
	if [ "${COMP_WORDS[COMP_CWORD-1]}" = --vm ]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
	fi
	vm=$(_hotbayctl_vm "${words[@]}")
	case $(_hotbayctl_command "${words[@]}") in
	'') choices='drives bays passthrough slots add remove pull events top --vm --help --version' ;;
	drives) choices='--json --addresses' ;;
	bays | events) choices=--json ;;
	slots) choices='--json --ids' ;;
	top) choices='--interval --count' ;;
	passthrough) choices="on off --persist --force --lose-data --from-vm $(hotbayctl drives --addresses 2>/dev/null)" ;;
	add) choices="--id $(hotbayctl drives --addresses 2>/dev/null)" ;;
	remove) choices="--timeout --then-pull $(hotbayctl --vm "$vm" slots --ids 2>/dev/null)" ;;
	pull) choices=$(hotbayctl --vm "$vm" slots --ids 2>/dev/null) ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
	declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
}

# An address has colons, at which readline would break words.
complete -F _hotbayctl hotbayctl
