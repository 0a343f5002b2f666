/*
 * look: what a root without any program shows. Static, for leaks.t, roots.t and old-holes.t.
 *
 *     look list DIR       names, one a line
 *     look read FILE      all of it
 *     look type PATH      "directory", "file", "link", "other" or "none", without following it
 *     look futex NUMBER   what the kernel says of this operation (all 64 bits of it) on no address
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/owned.h"

static int list(const char *path) {
        DIR *dir = opendir(path);
        const struct dirent *entry;

        while (dir && (entry = readdir(dir)))
                if (*entry->d_name != '.')
                        puts(entry->d_name);
        return dir ? closedir(dir) != 0 : 1;
}

static int read_all(const char *path) {
        autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char page[4096];
        ssize_t n;

        while ((n = read(fd, page, sizeof(page))) > 0)
                if (write(STDOUT_FILENO, page, (size_t) n) != n)
                        return 1;
        return n < 0;
}

static int type(const char *path) {
        struct stat st;

        if (lstat(path, &st) < 0)
                puts("none");
        else
                puts(S_ISDIR(st.st_mode)   ? "directory"
                     : S_ISREG(st.st_mode) ? "file"
                     : S_ISLNK(st.st_mode) ? "link"
                                           : "other");
        return 0;
}

static int futex(const char *operation) {
        errno = 0;
        (void) syscall(SYS_futex, NULL, strtoul(operation, NULL, 0), 0L, NULL, NULL, 0L);
        return puts(strerrorname_np(errno)) < 0;
}

int main(int argc, char **argv) {
        if (argc != 3)
                return 2;
        if (strcmp(argv[1], "list") == 0)
                return list(argv[2]);
        if (strcmp(argv[1], "futex") == 0)
                return futex(argv[2]);
        return strcmp(argv[1], "read") == 0 ? read_all(argv[2]) : type(argv[2]);
}
