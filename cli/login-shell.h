#pragma once
/*
 * login-shell: which shell a jail's user has.
 */
#include "cli/link.h"

#define LOGIN_SHELL_MAX 256

/**
 * login_shell_find() - the shell of a user of a jail: its entry in the jail's own /etc/passwd, bash, sh
 * @uid: of the jail; NULL: the jail's user
 *
 * What the jail says only chooses what is executed in that jail. A shell that cannot be opened is none; where
 * none is found the word is "sh", so that the end of the command says what is missing.
 *
 * Returns: 0; or as link_ask(): LINK_E_REFUSED (there is no such jail), LINK_E_STOPPED, negative errno.
 */
int login_shell_find(Link *link, const char *jail, const uint64_t *uid, char shell[LOGIN_SHELL_MAX],
                     Error *err);
