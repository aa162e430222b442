#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Put the catalogue of what an object file describes to KSTATE where the image gets it:
#
#   kstate-catalog.sh vmlinux.o NAME.o    into an object, to be linked into vmlinux
#   kstate-catalog.sh NAME.o NAME.ko      into the module, if it describes or registers anything
#
# A description that KSTATE would refuse at run time ends the build. So does one that
# breaks what kernel/liveupdate/kstate.lock says of released kernels, or, for a module
# from outside of the tree, the kstate.lock beside its Makefile of its own releases.

set -e

object=$1
output=$2
catalog=$(dirname "${output}")/.tmp_$(basename "${output}").kstate
trap 'rm -f "${catalog}"' EXIT

collect()
{
	if ! command -v "${KSTATE}" >/dev/null; then
		echo >&2 "${KSTATE}: command not found"
		echo >&2 "CONFIG_KSTATE_CATALOG needs it: install it, or name it with KSTATE="
		exit 1
	fi
	shift_of_page=$(sed -n 's/^CONFIG_PAGE_SHIFT=//p' "${objtree}/include/config/auto.conf")
	"${KSTATE}" collect --release "${KERNELRELEASE}" --page-size $((1 << shift_of_page)) \
		-o "${catalog}" "$@" "${object}"
}

verify()
{
	for lock in "${srctree}/kernel/liveupdate/kstate.lock" \
		${KBUILD_EXTMOD:+"${KBUILD_EXTMOD}/kstate.lock"}; do
		[ -f "${lock}" ] || continue
		said=$("${KSTATE}" lock --verify "${lock}" "${catalog}") && continue
		echo >&2 "${said}"
		exit 1
	done
}

case "${output}" in
*.ko)
	# The names of modules have underscores
	collect --image "$(basename "${output}" .ko | tr - _)"
	[ -f "${catalog}" ] || exit 0
	verify
	# A module that was not linked again has one
	if ${READELF:-readelf} -SW "${output}" | grep -q ' \.kstate_catalog '; then
		${OBJCOPY} --update-section .kstate_catalog="${catalog}" "${output}"
		exit
	fi
	# The symbol is for kernels that do not look for the section
	${OBJCOPY} --add-section .kstate_catalog="${catalog}" \
		--set-section-flags .kstate_catalog=alloc,readonly \
		--add-symbol kstate_catalog=.kstate_catalog:0,local,object "${output}"
	;;
*)
	# An empty one says that the kernel describes nothing
	collect --image vmlinux --always
	verify
	# shellcheck disable=SC2086 # flags are words
	printf '.section .kstate_catalog, "a", %%progbits\n.balign 8\n.incbin "%s"\n' \
		"${catalog}" | ${CC} ${CLANG_FLAGS} ${KBUILD_CPPFLAGS} ${KBUILD_AFLAGS} \
		${KBUILD_AFLAGS_KERNEL} -c -x assembler -o "${output}" -
	;;
esac
