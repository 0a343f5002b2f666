#pragma once
/*
 * inject-left: what an instance of warderd that runs in a directory of its own has of the host, counted.
 */

typedef struct InjectPlace {
        char dir[64];  /* its state is in state/ below it */
        char name[32]; /* of the instance */
} InjectPlace;

/** inject_left_groups() - of jails; the supervisor's own are as deep as they are without any */
unsigned inject_left_groups(const InjectPlace *place);

/** inject_left_mounts() - of the host that name what is the instance's */
unsigned inject_left_mounts(const InjectPlace *place);

/** inject_left_loops() - loop devices on files below the directory */
unsigned inject_left_loops(const InjectPlace *place);

/** inject_left_new() - layers that are being made */
unsigned inject_left_new(const InjectPlace *place);

/** inject_left_layers() - layers of the store, of all kinds, and disks */
unsigned inject_left_layers(const InjectPlace *place);

/** inject_left_fds() - descriptors of process @pid */
unsigned inject_left_fds(int pid);
