/*
 * Disks at every edge: numbers of nobody's, sizes that are none, one disk for two jails, a disk where none may
 * be, and one that goes while a jail has it.
 */
#include <string.h>

#include "tests/rpc/hostile.h"

#define DISK      0x7fffffffffffff01ull
#define DISK_SIZE (64ull << 20)

static int ask_disk(RequestKind kind, uint64_t disk, uint64_t bytes, MonitorReply *reply) {
        const DiskRequest request = { { kind, 9 }, disk, bytes };

        return ask(&request, sizeof request, NULL, 0, reply);
}

static CreateRequest disk_request(uint64_t disk) {
        CreateRequest request = good_request();

        request.plan.layers[request.plan.n_layers++] =
                (PlanLayer){ .kind = LAYER_DISK, .handle = disk };
        return request;
}

static void play_sizes(FILE *out) {
        static const uint64_t sizes[] = { 0,
                                          1,
                                          DISK_BYTES_MIN - 4096,
                                          DISK_BYTES_MIN + 1,
                                          DISK_BYTES_MAX + 4096,
                                          UINT64_MAX,
                                          UINT64_MAX - 4095 };
        MonitorReply reply;

        for (unsigned i = 0; i < ELEMENTS(sizes); i++)
                fprintf(out, "size %d\n", ask_disk(REQUEST_DISK_MAKE, DISK, sizes[i], &reply));
        fprintf(out, "number %d\n", ask_disk(REQUEST_DISK_MAKE, 0, DISK_SIZE, &reply));
        fprintf(out, "show %d\n", ask_disk(REQUEST_DISK_SHOW, DISK, 0, &reply));
        fprintf(out, "remove %d\n", ask_disk(REQUEST_DISK_REMOVE, DISK, 0, &reply));
}

static void play_wrong(FILE *out) {
        CreateRequest request = disk_request(DISK);
        MonitorReply reply;

        fprintf(out, "nobody's %d\n", create(&request, &reply));
        request = disk_request(0);
        fprintf(out, "zero %d\n", create(&request, &reply));
        request = disk_request(DISK);
        request.plan.flags |= PLAN_KEEP_UPPER;
        fprintf(out, "kept %d\n", create(&request, &reply));
        request = disk_request(DISK);
        request.plan.flags |= PLAN_FILES_CAPS;
        fprintf(out, "files %d\n", create(&request, &reply));
        request = disk_request(DISK);
        request.plan.layers[request.plan.n_layers++] =
                (PlanLayer){ .kind = LAYER_DISK, .handle = DISK + 2 };
        fprintf(out, "two %d\n", create(&request, &reply));
        request = disk_request(DISK);
        request.plan.views[request.plan.n_views++] =
                (PlanView){ VIEW_WORK, 0, request.plan.n_layers - 1, 1 };
        fprintf(out, "shown %d\n", create(&request, &reply));
        request.plan.views[1].flags = VIEW_DIRECT | VIEW_WRITABLE;
        fprintf(out, "written %d\n", create(&request, &reply));
        request = disk_request(DISK);
        request.plan.layers[request.plan.n_layers - 1].fd = 1;
        fprintf(out, "descriptor %d\n", create(&request, &reply));
}

/* As a front that has fallen would: two jails at once, the disk taken away below one, made anew below it */
static void play_taken(FILE *out) {
        CreateRequest request = disk_request(DISK), above = good_request();
        MonitorReply reply;
        uint64_t jail;

        fprintf(out, "make %d\n", ask_disk(REQUEST_DISK_MAKE, DISK, DISK_SIZE, &reply));
        fprintf(out, "again %d\n", ask_disk(REQUEST_DISK_MAKE, DISK, DISK_SIZE, &reply) < 0);
        fprintf(out, "create %d\n", create(&request, &reply));
        jail = reply.handle;
        fprintf(out, "remove %d\n", ask_disk(REQUEST_DISK_REMOVE, DISK, 0, &reply));
        fprintf(out, "upper %d\n", ask_handle(REQUEST_UPPER_DROP, jail, &reply));
        above.plan.n_layers = above.plan.views[0].n = 2;
        above.plan.layers[1] = above.plan.layers[0];
        above.plan.layers[0] = (PlanLayer){ .kind = LAYER_UPPER, .handle = jail };
        fprintf(out, "above %d\n", create(&above, &reply));
        end_jail(reply.handle);
        end_jail(jail);
        fprintf(out, "show %d\n", ask_disk(REQUEST_DISK_SHOW, DISK, 0, &reply));
        fprintf(out, "restart %d\n", create(&request, &reply));
        end_jail(reply.handle);
        fprintf(out, "remove %d\n", ask_disk(REQUEST_DISK_REMOVE, DISK, 0, &reply));
        fprintf(out, "gone %d\n", create(&request, &reply));
}

/* The second waits for the lock some seconds, and is refused */
static void play_both(FILE *out) {
        const CreateRequest request = disk_request(DISK);
        MonitorReply reply;

        (void) ask_disk(REQUEST_DISK_MAKE, DISK, DISK_SIZE, &reply);
        fprintf(out, "first %d\n", create(&request, &reply));
        fprintf(out, "second %d\n", create(&request, &reply));
        fprintf(out, "text %d\n", strstr(reply.text, "still in use") != NULL);
}

const Scenario wrong_disks[] = {
        { "disk-sizes", play_sizes },
        { "disk-plans", play_wrong },
        { "disk-taken", play_taken },
        { "disk-both", play_both },
        { NULL, NULL },
};
