/*
 * layers-on-disk: see layers-on-disk.h.
 */
#include "supervisor/front/store/layers-on-disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/owned.h"
#include "supervisor/front/ledger.h"

DEFINE_SCOPED(DIR *, closedir);

/* What is called otherwise is no layer, and nobody's business here */
static bool read_name(const char *name, uint8_t *ret) {
        char text[DIGEST_TEXT_MAX];

        if (strlen(name) != 2 * (size_t) DIGEST_SIZE)
                return false;
        (void) snprintf(text, sizeof text, "sha256:%s", name);
        return digest_parse(text, ret) >= 0;
}

/* The offset is shared with whoever has the descriptor, and nobody else reads there */
static DIR *open_names(const Front *front, Error *err) {
        int fd =
                fcntl(front->layers_fd, F_DUPFD_CLOEXEC, 3); /* which says so where there is none */
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir) {
                error_set(err, -errno, "read which layers the store has");
                if (fd >= 0)
                        (void) close(fd);
                return NULL;
        }
        rewinddir(dir);
        return dir;
}

/* The next layer. Returns: 1, 0: there are no more, or negative errno */
static int next_layer(DIR *dir, uint8_t *ret, Error *err) {
        const struct dirent *entry;

        for (;;) {
                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return errno ? error_set(err, -errno, "read which layers the store has")
                                     : 0;
                if (read_name(entry->d_name, ret))
                        return 1;
        }
}

int layer_is_on_disk(const Front *front, const uint8_t *digest, Error *err) {
        SCOPED(closedir) DIR *dir = open_names(front, err);
        uint8_t found[DIGEST_SIZE];
        int r = dir ? 1 : -EBADF;

        while (r > 0 && (r = next_layer(dir, found, err)) > 0)
                if (memcmp(found, digest, sizeof found) == 0)
                        return 1;
        return r;
}

int layers_missing(const Front *front, const Plan *plan, Error *err) {
        char text[DIGEST_TEXT_MAX];

        for (unsigned i = 0; i < plan->n_layers; i++)
                if (plan->layers[i].kind == LAYER_STORE &&
                    layer_is_on_disk(front, plan->layers[i].digest, NULL) == 0)
                        return error_say(err, -EUCLEAN,
                                         "the layer %s is not in the store: `warder snapshot fsck` "
                                         "says which snapshots stand on it; importing the same "
                                         "content again puts it right",
                                         digest_format(plan->layers[i].digest, text));
        return 0;
}

bool layer_is_known(Front *front, const uint8_t *digest) {
        return ledger_number(front->ledger, 1,
                             "SELECT EXISTS (SELECT 1 FROM holds WHERE digest = ?1) OR "
                             "EXISTS (SELECT 1 FROM loose WHERE digest = ?1)",
                             "b", digest, DIGEST_SIZE) != 0;
}

int layers_unknown(Front *front, uint8_t (**ret)[DIGEST_SIZE], unsigned *ret_n, Error *err) {
        SCOPED(closedir) DIR *dir = open_names(front, err);
        autofree uint8_t(*list)[DIGEST_SIZE] = NULL;
        uint8_t digest[DIGEST_SIZE];
        unsigned n = 0;
        int r = dir ? 1 : -EBADF;

        while (r > 0 && n < LAYERS_UNKNOWN_MAX && (r = next_layer(dir, digest, err)) > 0) {
                void *more;

                if (layer_is_known(front, digest))
                        continue;
                more = n % 64 ? list : reallocarray(list, n + 64, sizeof *list);
                if (!more)
                        return error_set(err, -ENOMEM, "list the layers of the store");
                list = more;
                memcpy(list[n++], digest, DIGEST_SIZE);
        }
        if (r < 0)
                return r;
        *ret = TAKE_PTR(list);
        *ret_n = n;
        return 0;
}
