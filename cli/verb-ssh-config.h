#pragma once
/*
 * The verb "ssh-config": what ssh must know to reach a jail.
 */
#include "cli/verbs.h"

extern const Verb verb_ssh_config;
