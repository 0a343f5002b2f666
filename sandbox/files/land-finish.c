/* land-finish: see land-finish.h. */
#include "sandbox/files/land-finish.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/files/beneath.h"

static int finish_dir(Land *land, const Entry *entry, Error *err) {
        const EntryMeta *meta = &entry->meta;
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
                                     { .tv_sec = meta->sec, .tv_nsec = meta->nsec } };
        const char *leaf = name_leaf(entry->path);
        size_t n = leaf == entry->path ? 0 : (size_t) (leaf - entry->path) - 1;
        int parent = dirs_enter(&land->dirs, entry->path, n);
        autoclose int fd = parent < 0 ? parent : beneath_dir(parent, leaf);

        if (fd < 0)
                return error_set(err, fd, "open a directory of the layer");
        if ((meta->uid != geteuid() || meta->gid != getegid()) &&
            fchown(fd, meta->uid, meta->gid) < 0)
                return error_set(err, -errno, "set the owner of a directory of the layer");
        if (fchmod(fd, meta->mode) < 0)
                return error_set(err, -errno, "set the mode of a directory of the layer");
        if (futimens(fd, times) < 0)
                return error_set(err, -errno, "set the time of a directory of the layer");
        return 0;
}

static int finish_dirs(Land *land, Entry **entries, Error *err) {
        uint64_t i;
        int r = 0;

        for (i = table_count(land->table); i-- > 0 && r >= 0;)
                if (entries[i]->meta.kind == ENTRY_DIR)
                        r = finish_dir(land, entries[i], err);
        return r;
}

static int report_manifest(Entry **entries, uint64_t n, uint64_t bytes, Report *report,
                           Error *err) {
        SCOPED(digest_free) Digest *digest = NULL;
        uint8_t value[DIGEST_SIZE];
        int r = digest_new(&digest);

        if (r < 0)
                return error_set(err, r, "start a digest");
        for (uint64_t i = 0; i < n; i++)
                manifest_add(digest, entries[i]);
        digest_end(digest, value);
        r = report_digest(report, DIGEST_LAYER, value);
        if (r >= 0)
                r = report_numbers(report, RECORD_TOTALS, bytes, n);
        return r < 0 ? error_set(err, r, "write a record") : 0;
}

int manifest_report(const Table *table, Hasher *hasher, uint64_t bytes, Report *report,
                    Error *err) {
        autofree Entry **entries = NULL;
        int r = table_sorted(table, &entries);

        if (r < 0)
                return error_set(err, r, "sort the entries of the layer");
        hasher_finish(hasher);
        return report_manifest(entries, table_count(table), bytes, report, err);
}

int land_finish(Land *land, Error *err) {
        autofree Entry **entries = NULL;
        int r = table_sorted(land->table, &entries);

        if (r < 0)
                return error_set(err, r, "sort the entries of the layer");
        r = finish_dirs(land, entries, err);
        if (r < 0)
                return r;
        hasher_finish(land->hasher);
        r = report_manifest(entries, table_count(land->table), land->bytes, land->report, err);
        if (r >= 0 && syncfs(land->root) < 0)
                r = error_set(err, -errno, "bring the layer to disk");
        return r;
}
