#pragma once
/*
 * doctor-host: how this host is set up: rights, groups, ids, processors, units.
 */
#include "cli/doctor-find.h"

/** host_kernel() - is it new enough */
State host_kernel(const Check *check, char *found);
/** host_capabilities() - has root here all that the monitor keeps */
State host_capabilities(const Check *check, char *found);
/** host_records() - can the kernel's records of seccomp be had, and are kills recorded */
State host_records(const Check *check, char *found);
/** host_landlock() - which version is there */
State host_landlock(const Check *check, char *found);
/** host_controller() - is the row's path one of v1 or v2, and may it be used */
State host_controller(const Check *check, char *found);
/** host_v2() - is a v2 tree mounted */
State host_v2(const Check *check, char *found);
/** host_writable() - may groups be made in it */
State host_writable(const Check *check, char *found);
/** host_kill() - has a group of it cgroup.kill */
State host_kill(const Check *check, char *found);
/** host_file_system() - does the kernel know the row's path */
State host_file_system(const Check *check, char *found);
/** host_namespaces() - how many of each the kernel allows */
State host_namespaces(const Check *check, char *found);
/** host_subuid() - does /etc/subuid or subgid give away ids of our pool */
State host_subuid(const Check *check, char *found);
/** host_ids() - how many ranges of the pool are held */
State host_ids(const Check *check, char *found);
/** host_group() - is the row's path a group */
State host_group(const Check *check, char *found);
/** host_unit() - is the row's path a unit of systemd */
State host_unit(const Check *check, char *found);
/** host_selinux() - does SELinux enforce */
State host_selinux(const Check *check, char *found);
/** host_faults() - which faults of the processor does the kernel call open */
State host_faults(const Check *check, char *found);
/** host_swap() - swap areas */
State host_swap(const Check *check, char *found);
/** host_room() - bytes and inodes where the state lies */
State host_room(const Check *check, char *found);
