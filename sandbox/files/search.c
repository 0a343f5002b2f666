/* search: see search.h. */
#include "sandbox/files/search.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/glob.h"
#include "sandbox/files/grep.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"

typedef struct Search {
        const SearchJob *job; /* borrowed */
        Report *report;       /* borrowed */
        Globs globs;
        bool leaf_only; /* the globs have no slash */
        Grep grep;
        unsigned matches;
        size_t top;               /* bytes of the path that lead to where the search begins */
        char path[NAME_PATH_MAX]; /* of the current item, relative to the tree */
} Search;

static bool is_full(const Search *search) {
        return search->matches >= SEARCH_MATCHES_MAX;
}

static bool name_fits(const Search *search) {
        if (search->globs.n == 0)
                return true;
        return globs_match(&search->globs, search->leaf_only ? name_leaf(search->path)
                                                             : search->path + search->top);
}

static int take_file(Search *search, int dir, const char *name) {
        RecordHead head = { .kind = RECORD_MATCH };
        autoclose int fd = -EBADF;
        int r;

        if (!name_fits(search))
                return 0;
        if (!search->job->grep) {
                search->matches++;
                return report_bytes(search->report, &head, search->path, strlen(search->path) + 1);
        }
        fd = beneath_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0)
                return 0; /* a link, a socket, or gone since: nothing to search */
        r = grep_file(&search->grep, fd, search->path, SEARCH_MATCHES_MAX - search->matches,
                      search->report);
        if (r > 0)
                search->matches += (unsigned) r;
        return r;
}

static int walk(Search *search, int dir, unsigned depth) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(search->path);
        int r = depth > NAME_DEPTH_MAX ? 0 : listing_new(dir, &list);
        unsigned i;

        for (i = 0; list && i < list->n && r >= 0 && !is_full(search); i++) {
                const ListingItem *item = &list->items[i];
                autoclose int below = -EBADF;

                search->path[n] = 0;
                if (strcmp(item->name, ".git") == 0 ||
                    !name_join(search->path, search->path, item->name))
                        continue;
                if (!item->is_dir) {
                        r = take_file(search, dir, item->name);
                        continue;
                }
                below = beneath_dir(dir, item->name);
                if (below >= 0)
                        r = walk(search, below, depth + 1);
        }
        search->path[n] = 0;
        return r;
}

static int refuse_path(Search *search, int r, Error *err) {
        if (r == -ENOENT || r == -ENOTDIR)
                return report_refuse(search->report, RULE_NOT_THERE, search->path,
                                     "there is no such path");
        if (r == -ELOOP)
                return report_refuse(search->report, RULE_THROUGH_LINK, search->path,
                                     "the path goes through a link; links are not followed");
        return error_set(err, r, "open the path");
}

static int start_path(Search *search) {
        const char *path = search->job->path ? search->job->path : ".";
        RecordRule rule = name_clean(path, strlen(path), search->path);

        if (rule != RULE_NONE)
                return report_refuse(search->report, rule, path, "%s", name_sentence(rule));
        return 0;
}

static int search_path(Search *search, Error *err) {
        autoclose int dir = beneath_dir(search->job->tree, search->path);
        autoclose int parent = -EBADF;
        const char *leaf = NULL;
        struct stat st;
        int r;

        if (dir >= 0) {
                search->top = strlen(search->path) + (*search->path ? 1 : 0);
                return walk(search, dir, 0);
        }
        r = beneath_stat(search->job->tree, search->path, &st);
        if (dir != -ENOTDIR || r < 0)
                return refuse_path(search, dir != -ENOTDIR ? dir : r, err);
        if (S_ISLNK(st.st_mode))
                return refuse_path(search, -ELOOP, err);
        parent = beneath_parent(search->job->tree, search->path, &leaf);
        if (parent < 0)
                return refuse_path(search, parent, err);
        search->top = (size_t) (leaf - search->path);
        return take_file(search, parent, leaf);
}

static int start_globs(Search *search, const char *pattern) {
        Error reason = ERROR_EMPTY;
        int r;

        while (strncmp(pattern, "./", 2) == 0)
                pattern += 2;
        search->leaf_only = strchr(pattern, '/') == NULL && strcmp(pattern, "**") != 0;
        r = globs_add(&search->globs, pattern, &reason);
        return r < 0 ? report_refuse(search->report, RULE_PATTERN, "", "%s", reason.text) : 0;
}

static int start_grep(Search *search, Error *err) {
        const char *at = search->job->pattern;
        char reason[128];
        int r;

        /* Bytes are matched much faster than characters, and make no difference to a pattern of ASCII */
        while (isascii((unsigned char) *at) && *at)
                at++;
        (void) setlocale(LC_CTYPE, *at ? "C.UTF-8" : "C");
        r = grep_init(&search->grep, search->job->pattern, search->job->ignore_case, reason,
                      sizeof(reason));
        if (r == -EINVAL)
                return report_refuse(search->report, RULE_PATTERN, "",
                                     "the regular expression cannot be read: %s", reason);
        return r < 0 ? error_set(err, r, "compile the regular expression") : 0;
}

int search_run(const SearchJob *job, Report *report, Error *err) {
        autofree Search *search = calloc(1, sizeof(*search));
        const char *glob = job->grep ? job->glob : job->pattern;
        int r = 0;

        if (!search)
                return error_set(err, -ENOMEM, "start to search");
        search->job = job;
        search->report = report;
        r = start_path(search);
        if (r >= 0 && glob)
                r = start_globs(search, glob);
        if (r >= 0 && job->grep)
                r = start_grep(search, err);
        if (r >= 0)
                r = search_path(search, err);
        report->cut |= is_full(search);
        globs_deinit(&search->globs);
        grep_deinit(&search->grep);
        return r < 0 && err->code == 0 && !report->refused ? error_set(err, r, "search") : r;
}
