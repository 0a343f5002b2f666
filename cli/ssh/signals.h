#pragma once
/*
 * signals: the names that signals have in SSH (RFC 4254, 6.9 and 6.10).
 */

/** signal_name() - without SIG; NULL: 0, or one that SSH has no name for */
const char *signal_name(int signal);

/** signal_number() - 0: unknown */
int signal_number(const char *name);
