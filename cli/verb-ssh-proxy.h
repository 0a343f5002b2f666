#pragma once
/*
 * The verb "ssh-proxy": what ssh starts in place of a connection.
 */
#include "cli/verbs.h"

extern const Verb verb_ssh_proxy;
