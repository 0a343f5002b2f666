/*
 * copy: what a hostile jail sends as a copy, or a hostile client. Input: the stream. Whatever it is, nothing changes
 * but the one name that it is about, nothing unfinished stays, and only a whole stream gets that name. The same stream
 * is then merged into a directory: nothing beside that changes, and in it nothing has a temporary name.
 */
#include "base/copy-receive.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "tests/fuzz/fuzz.h"

#define BYTES_MAX 65536
#define OPEN_MAX  16

static char directory[] = "/tmp/warder-fuzz-copy-XXXXXX";
static bool started, closed; /* closed: there was a directory that could not be read */

static void must(bool good) {
        if (!good)
                abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where) {
        (void) st;
        (void) type;
        (void) where;
        return remove(path);
}

static int open_up(const char *path, const struct stat *st, int type, struct FTW *where) {
        (void) where;
        closed |= type == FTW_DNR;
        if (type == FTW_D || type == FTW_DNR)
                return chmod(path, 0700);
        must(type == FTW_SL || type == FTW_SLN || !(st->st_mode & 07000));
        return 0;
}

static void end(void) {
        (void) nftw(directory, remove_one, OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}

static void start(void) {
        must(mkdtemp(directory) != NULL);
        must(atexit(end) == 0);
        started = true;
}

/* The names below the directory. Returns: how many; *ret_got: is "got" one of them */
static unsigned names(bool *ret_got) {
        const struct dirent *entry;
        DIR *list = opendir(directory);
        unsigned n = 0;

        must(list != NULL);
        *ret_got = false;
        while ((entry = readdir(list))) {
                n += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
                *ret_got |= strcmp(entry->d_name, "got") == 0;
        }
        (void) closedir(list);
        return n;
}

static int no_temporary(const char *path, const struct stat *st, int type, struct FTW *where) {
        must(strncmp(path + where->base, ".warder-cp-", strlen(".warder-cp-")) != 0);
        return open_up(path, st, type, where);
}

/* Takes all below @path away, and looks at each on the way */
static void clear(const char *path,
                  int (*look)(const char *, const struct stat *, int, struct FTW *)) {
        do {
                closed = false;
                must(nftw(path, look, OPEN_MAX, FTW_PHYS) == 0);
        } while (closed);
        must(nftw(path, remove_one, OPEN_MAX, FTW_DEPTH | FTW_PHYS) == 0);
}

static void merge(int from) {
        char into[sizeof(directory) + 5];
        const CopyReceive how = {
                .from = from, .place = into, .merge = true, .umask = 022, .max_bytes = BYTES_MAX
        };
        Error err = ERROR_EMPTY;
        uint64_t skipped = 0;
        bool is_there;

        (void) snprintf(into, sizeof(into), "%s/into", directory);
        must(mkdir(into, 0700) == 0 && lseek(from, 0, SEEK_SET) == 0);
        (void) copy_receive(&how, &skipped, &err);
        must(names(&is_there) == 1 && !is_there);
        clear(into, no_temporary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        CopyReceive how = {
                .place = directory, .name = "got", .umask = 022, .max_bytes = BYTES_MAX
        };
        Error err = ERROR_EMPTY;
        uint64_t skipped = 0;
        char got[sizeof(directory) + 4];
        bool is_there;
        int r;

        if (!started)
                start();
        how.from = memfd_new("stream", false, NULL);
        must(how.from >= 0 && fd_write_all(how.from, data, n) == 0);
        must(lseek(how.from, 0, SEEK_SET) == 0);
        r = copy_receive(&how, &skipped, &err);
        must(names(&is_there) == (r == 0) && is_there == (r == 0));
        (void) snprintf(got, sizeof(got), "%s/got", directory);
        if (r == 0)
                clear(got, open_up);
        merge(how.from);
        (void) close(how.from);
        return 0;
}
