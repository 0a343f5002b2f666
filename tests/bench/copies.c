/* copies: see copies.h. */
#include "tests/bench/copies.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/owned.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"

#define COPIES_SECONDS 35

/*
 * Roots of 1 MB (two files), 475 MB (some 12,000 files of this host's /usr that everybody may read, small ones and
 * libraries as in a root of a distribution, and a busybox) and 2 GB (that and one file that is no hole), and a tree of
 * 10 MB.
 */
static const char roots[] =
        "cd \"$1/memory\"; mkdir -p small/usr middle/bin large changes upper work merged copy;"
        "cp " BUSYBOX " middle/bin/busybox; mkdir -m 1777 middle/changes;"
        "for d in tmp etc usr proc dev sys run var; do mkdir -p small/$d middle/$d; done;"
        "echo ID=bench > middle/etc/os-release; cp middle/etc/os-release small/etc/;"
        "head -c 1000000 /dev/urandom > small/usr/blob;"
        "(cd /; find usr -xdev \\( -type f -perm -0004 -o -type l \\) -printf '%s %p\\n' |"
        " awk '(n < 12000 || $1 > 1000000) && all + $1 <= 473000000 {"
        " all += $1; n++; sub(/^[0-9]+ /, \"\"); print }' |"
        " tar --no-recursion -cf - -T -) | tar -C middle -xf -;"
        "head -c 1525000000 /dev/zero > large/blob;"
        "for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7 8 9; do "
        "head -c 100000 /dev/urandom > changes/f$i$j; done; done;"
        "tar -C small -cf root-1.tar .; tar -C middle -cf root-475.tar .;"
        "cp root-475.tar root-2000.tar; tar -C large -rf root-2000.tar blob";

static char changed[32], made[32]; /* jails: the one that is forked; of the row under way */

static int call_for_jail(Bench *bench, const char *method, const char *params, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        int r = bench_call(&bench->with, method, params, NULL, 0, &result, err);
        const cJSON *forks = json_get(result, "jails");
        const char *jail =
                forks && forks->child ? forks->child->valuestring : json_text(result, "jail");

        if (r >= 0 && !jail)
                return error_say(err, -EIO, "%s tells of no jail", method);
        if (r >= 0)
                (void) snprintf(made, sizeof(made), "%s", jail);
        return r;
}

static int create_of(Bench *bench, const char *snapshot, Error *err) {
        char params[64];

        (void) snprintf(params, sizeof(params), "{\"snapshot\":\"%s\",\"keep\":true}", snapshot);
        return call_for_jail(bench, "jail.create", params, err);
}

static int create_small(Bench *bench, Error *err) {
        return create_of(bench, "root-1", err);
}

static int create_middle(Bench *bench, Error *err) {
        return create_of(bench, "root-475", err);
}

static int create_large(Bench *bench, Error *err) {
        return create_of(bench, "root-2000", err);
}

static int fork_changed(Bench *bench, Error *err) {
        char params[64];

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\",\"keep\":true}", changed);
        return call_for_jail(bench, "jail.fork", params, err);
}

static int destroy_made(Bench *bench, Error *err) {
        char params[64];

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"}", made);
        return bench_call(&bench->with, "jail.destroy", params, NULL, 0, NULL, err);
}

static int save_changed(Bench *bench, Error *err) {
        char params[80];

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\",\"name\":\"saved\"}", changed);
        return bench_call(&bench->with, "jail.save", params, NULL, 0, NULL, err);
}

static int remove_saved(Bench *bench, Error *err) {
        int r = bench_call(&bench->with, "snapshot.remove", "{\"name\":\"saved\"}", NULL, 0, NULL,
                           err);

        return r < 0 ? r : bench_call(&bench->with, "snapshot.gc", "{}", NULL, 0, NULL, err);
}

/* ---- by hand --------------------------------------------------------------------------------------- */

static int copy_of(const Bench *bench, const char *tree, const char *more, Error *err) {
        char from[96], also[96], to[96];
        const char *argv[] = { "cp", "-a", from, more ? also : to, more ? to : NULL, NULL };

        (void) snprintf(from, sizeof(from), "%s/memory/%s", bench->dir, tree);
        (void) snprintf(also, sizeof(also), "%s/memory/%s", bench->dir, more ? more : "");
        (void) snprintf(to, sizeof(to), "%s/memory/copy/", bench->dir);
        return spawn_wait(argv, err);
}

static int copy_small(Bench *bench, Error *err) {
        return copy_of(bench, "small", NULL, err);
}

static int copy_middle(Bench *bench, Error *err) {
        return copy_of(bench, "middle", NULL, err);
}

static int copy_large(Bench *bench, Error *err) {
        return copy_of(bench, "middle", "large", err);
}

static int copy_changes(Bench *bench, Error *err) {
        return copy_of(bench, "changes", NULL, err);
}

static int remove_copy(Bench *bench, Error *err) {
        return spawn_shell("rm -rf \"$1/memory/copy\"; mkdir \"$1/memory/copy\"", bench->dir, err);
}

/* With its end: what a fresh writable copy costs the kernel */
static int overlay_of(const Bench *bench, const char *lower, Error *err) {
        char merged[96], options[512];

        (void) snprintf(merged, sizeof(merged), "%s/memory/merged", bench->dir);
        (void) snprintf(options, sizeof(options),
                        "lowerdir=%s,upperdir=%s/memory/upper,workdir=%s/memory/work", lower,
                        bench->dir, bench->dir);
        if (mount("overlay", merged, "overlay", 0, options) < 0)
                return error_set(err, -errno, "mount an overlay");
        if (umount2(merged, MNT_DETACH) < 0)
                return error_set(err, -errno, "unmount an overlay");
        return 0;
}

static int overlay_small(Bench *bench, Error *err) {
        char lower[96];

        (void) snprintf(lower, sizeof(lower), "%s/memory/small", bench->dir);
        return overlay_of(bench, lower, err);
}

static int overlay_large(Bench *bench, Error *err) {
        char lower[192];

        (void) snprintf(lower, sizeof(lower), "%s/memory/large:%s/memory/middle", bench->dir,
                        bench->dir);
        return overlay_of(bench, lower, err);
}

static int fork_by_hand(Bench *bench, Error *err) {
        char lower[192];
        int r = copy_changes(bench, err);

        (void) snprintf(lower, sizeof(lower), "%s/memory/copy/changes:%s/memory/middle", bench->dir,
                        bench->dir);
        return r < 0 ? r : overlay_of(bench, lower, err);
}

/* ---- the table ------------------------------------------------------------------------------------- */

static int change(Bench *bench, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[512];
        int r = create_middle(bench, err);

        if (r < 0)
                return r;
        (void) snprintf(changed, sizeof(changed), "%s", made);
        (void) snprintf(params, sizeof(params),
                        "{\"jail\":\"%s\",\"argv\":[\"" BUSYBOX
                        "\",\"sh\",\"-ec\",\"for i in $(" BUSYBOX " seq 100); do " BUSYBOX
                        " dd if=/dev/urandom of=/changes/f$i bs=100000 "
                        "count=1; done\"]}",
                        changed);
        r = bench_call(&bench->with, "jail.exec", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(result, err);
}

int copies_prepare(Bench *bench, Error *err) {
        static const char *const names[] = { "root-1", "root-475", "root-2000" };
        int r = spawn_shell(roots, bench->dir, err);

        for (unsigned i = 0; i < ELEMENTS(names) && r >= 0; i++)
                r = server_import(bench, &bench->with, names[i], err);
        if (r >= 0)
                r = spawn_shell("rm \"$1\"/memory/root-*.tar; sync", bench->dir, err);
        return r < 0 ? r : change(bench, err);
}

static Row rows[] = {
        { .name = "posix_spawn of a static binary", .run = peer_spawn },
        { .name = "a jail on a fresh writable copy of 1 MB, ready (`jail.create`)",
          .run = create_small,
          .after = destroy_made },
        { .name = "... of 475 MB", .run = create_middle, .after = destroy_made },
        { .name = "... of 2 GB", .run = create_large, .after = destroy_made },
        { .name = "an overlay by hand on 1 MB, mounted and unmounted", .run = overlay_small },
        { .name = "... on 2 GB, two layers", .run = overlay_large },
        { .name = "`cp -a` of 1 MB", .run = copy_small, .after = remove_copy },
        { .name = "`cp -a` of 475 MB", .run = copy_middle, .after = remove_copy, .every = 10 },
        { .name = "`cp -a` of 2 GB", .run = copy_large, .after = remove_copy, .every = 20 },
        { .name = "`jail.fork` of a jail with 10 MB in 100 files changed",
          .run = fork_changed,
          .after = destroy_made },
        { .name = "`jail.save` of it, on the disk", .run = save_changed, .after = remove_saved },
        { .name = "`cp -a` of 10 MB in 100 files", .run = copy_changes, .after = remove_copy },
        { .name = "... and an overlay by hand on that copy and the root",
          .run = fork_by_hand,
          .after = remove_copy },
};

void copies_run(Bench *bench, unsigned rounds) {
        rounds_run(bench, "copies", rows, ELEMENTS(rows), rounds, COPIES_SECONDS);
}
