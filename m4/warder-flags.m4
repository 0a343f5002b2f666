# warder-flags.m4: compiler and linker flags, probed and never dropped in silence.
#
# CFLAGS, CPPFLAGS and LDFLAGS belong to the builder and leave configure as they came. What is found goes
# into variables of our own, which Makefile.am puts into AM_CFLAGS and AM_LDFLAGS:
#
#   WARDER_HARDENING_CPPFLAGS  fortify; empty under sanitizers and without optimisation
#   WARDER_HARDENING_CFLAGS    code generation; fits -pie and -static-pie alike
#   WARDER_LDFLAGS             for every program but one
#   WARDER_STATIC_LDFLAGS      for warder-init, which is static
#   WARDER_WARNING_CFLAGS      warnings, errors under --enable-werror
#   WARDER_SANITIZE_FLAGS      --enable-sanitizers; a static program cannot take them
#
# A flag that the compiler refuses is named at the end of configure; a required one stops it there.
# Flags with commas reach the macros in double quotes [[...]], and loops are loops of the shell.

# WARDER_REFUSED(FLAG): remember it for the summary
AC_DEFUN([WARDER_REFUSED], [AS_VAR_APPEND([warder_refused], [" $1"])])

# WARDER_TRY_CFLAGS(VARIABLE, FLAGS, IF-REFUSED): append to VARIABLE each flag that compiles without a word
AC_DEFUN([WARDER_TRY_CFLAGS], [
        warder_saved=$CFLAGS
        for warder_flag in $2; do
                CFLAGS="$warder_saved -Werror $warder_flag"
                AC_MSG_CHECKING([whether $CC takes $warder_flag])
                AC_COMPILE_IFELSE([AC_LANG_PROGRAM],
                        [AC_MSG_RESULT([yes])
                         AS_VAR_APPEND([$1], [" $warder_flag"])],
                        [AC_MSG_RESULT([no])
                         $3])
        done
        CFLAGS=$warder_saved
])

# WARDER_NEED_LINK(VARIABLE, FLAGS): all of FLAGS must link, together
AC_DEFUN([WARDER_NEED_LINK], [
        warder_saved=$CFLAGS
        warder_saved_ld=$LDFLAGS
        CFLAGS="$CFLAGS -fPIE"
        LDFLAGS="$LDFLAGS $2"
        AC_MSG_CHECKING([whether $CC links with $2])
        AC_LINK_IFELSE([AC_LANG_PROGRAM],
                [AC_MSG_RESULT([yes])
                 $1="$2"],
                [AC_MSG_RESULT([no])
                 AC_MSG_ERROR([$CC cannot link with $2, which warder requires])])
        CFLAGS=$warder_saved
        LDFLAGS=$warder_saved_ld
])

# WARDER_FORTIFY: level 3 is required, but glibc offers none without optimisation, and the sanitizers
# look at what it would hide
AC_DEFUN([WARDER_FORTIFY], [
        AC_MSG_CHECKING([whether the builder's flags optimise])
        AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifndef __OPTIMIZE__
#error "no optimisation"
#endif
int optimised;]])], [warder_optimised=yes], [warder_optimised=no])
        AC_MSG_RESULT([$warder_optimised])
        AS_IF([test "x$WARDER_SANITIZE_FLAGS" = x && test $warder_optimised = yes],
                [warder_fortify=
                 WARDER_TRY_CFLAGS([warder_fortify], [[-D_FORTIFY_SOURCE=3]],
                        [AC_MSG_ERROR([$CC refuses -D_FORTIFY_SOURCE=3, which warder requires])])
                 WARDER_HARDENING_CPPFLAGS="-U_FORTIFY_SOURCE$warder_fortify"],
                [WARDER_HARDENING_CPPFLAGS=-U_FORTIFY_SOURCE
                 AS_IF([test $warder_optimised = no],
                        [WARDER_REFUSED([-D_FORTIFY_SOURCE=3 (no optimisation)])])])
        AC_SUBST([WARDER_HARDENING_CPPFLAGS])
])

AC_DEFUN([WARDER_HARDENING], [
        AC_REQUIRE([AC_PROG_CC])
        WARDER_HARDENING_CFLAGS=
        WARDER_TRY_CFLAGS([WARDER_HARDENING_CFLAGS], [[-fPIE -fstack-protector-strong]],
                [AC_MSG_ERROR([$CC refuses $warder_flag, which warder requires])])
        WARDER_TRY_CFLAGS([WARDER_HARDENING_CFLAGS], [[ \
                -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero \
                -fzero-call-used-regs=used-gpr -fstrict-flex-arrays=3 -fno-strict-overflow \
                -fno-delete-null-pointer-checks]], [WARDER_REFUSED([$warder_flag])])
        WARDER_NEED_LINK([WARDER_LDFLAGS],
                [[-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed]])
        WARDER_NEED_LINK([WARDER_STATIC_LDFLAGS],
                [[-static-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack]])
        WARDER_FORTIFY
        AC_SUBST([WARDER_HARDENING_CFLAGS])
        AC_SUBST([WARDER_LDFLAGS])
        AC_SUBST([WARDER_STATIC_LDFLAGS])
])

AC_DEFUN([WARDER_WARNINGS], [
        AC_ARG_ENABLE([werror],
                [AS_HELP_STRING([--enable-werror], [make every warning an error])],
                [], [enable_werror=no])
        WARDER_WARNING_CFLAGS=
        WARDER_TRY_CFLAGS([WARDER_WARNING_CFLAGS], [[ \
                -Wall -Wextra -Wshadow -Wvla -Wundef -Wwrite-strings -Wcast-qual -Wswitch-enum \
                -Wstrict-prototypes -Wmissing-prototypes -Wlogical-op -Wduplicated-cond \
                -Wformat-signedness -Werror=format=2 -Werror=return-type \
                -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
                -Werror=int-conversion]], [WARDER_REFUSED([$warder_flag])])
        AS_IF([test "x$enable_werror" = xyes],
                [AS_VAR_APPEND([WARDER_WARNING_CFLAGS], [" -Werror"])])
        AC_SUBST([WARDER_WARNING_CFLAGS])
])

AC_DEFUN([WARDER_SANITIZERS], [
        AC_REQUIRE([AC_PROG_CC])
        AC_ARG_ENABLE([sanitizers],
                [AS_HELP_STRING([--enable-sanitizers],
                        [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
                [], [enable_sanitizers=no])
        WARDER_SANITIZE_FLAGS=
        AS_IF([test "x$enable_sanitizers" = xyes],
                [WARDER_NEED_LINK([WARDER_SANITIZE_FLAGS],
                        [[-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer]])])
        AC_SUBST([WARDER_SANITIZE_FLAGS])
        AM_CONDITIONAL([SANITIZERS], [test "x$enable_sanitizers" = xyes])
])
