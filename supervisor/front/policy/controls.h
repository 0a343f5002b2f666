#pragma once
/*
 * controls: which walls stand around a jail. A control that was asked for and cannot be had fails the
 * create, so what is named here is there.
 */
#include "supervisor/front/jails/jails.h"

/**
 * controls_describe() - the walls of one jail, fresh; NULL: no memory
 *
 * Fields: "landlock" (ABI, 0: this kernel has none that serves), "seccomp" (the filters of each command, by
 * name, the constant floor first), "cgroup" ("hybrid" or "v2"), "proc" ("masked" or "pid"), "root" ("host"
 * or "snapshot"), "ids" (how many user ids are the jail's own).
 */
cJSON *controls_describe(const FrontJail *jail);
