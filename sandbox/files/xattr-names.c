/* xattr-names: see xattr-names.h. */
#include "sandbox/files/xattr-names.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/owned.h"

static int compare(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The names, and behind them the text that they point into. Returns: bytes of text; negative errno */
static ssize_t list(int fd, size_t room, const char ***ret_names, char **ret_text) {
        size_t most = room / 2; /* a name is one byte at least, and its end */
        autofree const char **names = malloc(most * sizeof(*names) + room);
        char *text = (char *) (names + most);
        ssize_t n = names ? flistxattr(fd, text, room) : -1;

        if (n < 0)
                return names ? -errno : -ENOMEM;
        *ret_text = text;
        *ret_names = TAKE_PTR(names);
        return n;
}

int xattr_names(int fd, const char ***ret_names) {
        autofree const char **names = NULL;
        ssize_t n = flistxattr(fd, NULL, 0);
        char *text = NULL;
        int count = 0;

        if (n <= 0)
                return n == 0 || errno == ENOTSUP ? 0 : -errno;
        n = list(fd, (size_t) n, &names, &text);
        if (n == -ERANGE) /* it has got more meanwhile */
                n = list(fd, XATTR_LIST_MAX, &names, &text);
        if (n <= 0)
                return (int) n;
        for (const char *name = text; name < text + n; name += strlen(name) + 1)
                names[count++] = name;
        qsort(names, (size_t) count, sizeof(*names), compare);
        *ret_names = TAKE_PTR(names);
        return count;
}
