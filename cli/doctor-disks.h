#pragma once
/*
 * doctor-disks: what disks of persistent workspaces need of this host.
 */
#include "cli/doctor-find.h"

/** disks_loop() - can loop devices be made here */
State disks_loop(const Check *check, char *found);
/** disks_mke2fs() - is the program there that makes their file systems */
State disks_mke2fs(const Check *check, char *found);
