/*
 * copy: what a hostile jail sends as a copy, or a hostile client. Input: the stream. Whatever it is, nothing changes
 * but the one name that it is about, nothing unfinished stays, and only a whole stream gets that name.
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
        (void) close(how.from);
        must(names(&is_there) == (r == 0) && is_there == (r == 0));
        if (r < 0)
                return 0;
        (void) snprintf(got, sizeof(got), "%s/got", directory);
        do {
                closed = false;
                must(nftw(got, open_up, OPEN_MAX, FTW_PHYS) == 0);
        } while (closed);
        must(nftw(got, remove_one, OPEN_MAX, FTW_DEPTH | FTW_PHYS) == 0);
        return 0;
}
