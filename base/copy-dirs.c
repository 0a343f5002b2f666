/*
 * copy-dirs: see copy-dirs.h. A table by their numbers, each with a chain.
 */
#include "base/copy-dirs.h"

#include <stdlib.h>
#include <string.h>

#define BYTES_MAX (16u << 20) /* LIMIT: directories beyond are set when they are left first */

static size_t bucket_of(const struct stat *st) {
        return (size_t) ((st->st_ino * 0x9e3779b97f4a7c15u) >> 40) % COPY_DIRS_BUCKETS;
}

MadeDir *copy_dirs_find(const CopyDirs *dirs, const struct stat *st) {
        MadeDir *made = dirs->buckets[bucket_of(st)];

        while (made && (made->ino != st->st_ino || made->dev != st->st_dev))
                made = made->next;
        return made;
}

MadeDir *copy_dirs_add(CopyDirs *dirs, const struct stat *st, const char *path, unsigned depth) {
        size_t room = strlen(path) + 1, bytes = sizeof(MadeDir) + room;
        MadeDir *made = dirs->bytes + bytes <= BYTES_MAX ? malloc(bytes) : NULL;
        MadeDir **bucket = &dirs->buckets[bucket_of(st)];

        if (!made)
                return NULL;
        *made = (MadeDir){ .next = *bucket, .dev = st->st_dev, .ino = st->st_ino, .depth = depth };
        memcpy(made->path, path, room);
        dirs->bytes += bytes;
        *bucket = made;
        return made;
}

int copy_dirs_apply(CopyDirs *dirs, MadeDirFn apply, void *userdata, Error *err) {
        int failed = 0;

        for (unsigned depth = COPY_DEPTH_MAX + 1; dirs->bytes > 0 && depth > 0; depth--)
                for (size_t i = 0; i < COPY_DIRS_BUCKETS; i++)
                        for (MadeDir *made = dirs->buckets[i]; made; made = made->next) {
                                int r = made->depth != depth
                                                ? 0
                                                : apply(userdata, made, failed < 0 ? NULL : err);

                                failed = failed < 0 ? failed : r;
                        }
        return failed;
}

void copy_dirs_deinit(CopyDirs *dirs) {
        for (size_t i = 0; i < COPY_DIRS_BUCKETS; i++)
                while (dirs->buckets[i]) {
                        MadeDir *made = dirs->buckets[i];

                        dirs->buckets[i] = made->next;
                        free(made);
                }
        dirs->bytes = 0;
}
