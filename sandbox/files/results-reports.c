/* results-reports: see results-reports.h. */
#include "sandbox/files/results-reports.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/owned.h"
#include "sandbox/files/beneath.h"
#include "sandbox/files/listing.h"
#include "sandbox/files/names.h"

typedef struct Reports {
        Results *results; /* borrowed, as is all of it */
        const ReportsWhere *where;
        ResultsFileFn file;
        const char *form;
        Error *err;
        unsigned n;
        char path[NAME_PATH_MAX];
} Reports;

/* No command can set this time, which each write to a file, and each new name, moves on. */
static bool is_older(const struct stat *st, uint64_t nsec) {
        return (uint64_t) st->st_ctim.tv_sec * 1000000000u + (uint64_t) st->st_ctim.tv_nsec < nsec;
}

static int take_file(Reports *reports, int dir, const char *name) {
        autoclose int fd = -EBADF;
        struct stat st;

        if (!globs_match(reports->where->globs, reports->path))
                return 0;
        fd = beneath_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0;                                /* a link, a pipe, a whiteout: no report */
        if (is_older(&st, reports->where->since_nsec)) { /* an earlier command's */
                reports->results->report->passed_over++;
                return 0;
        }
        if (++reports->n > REPORTS_MAX) {
                reports->results->report->cut = true;
                return 0;
        }
        reports->results->report->taken++;
        return reports->file(reports->results, fd, reports->form, reports->err);
}

static int walk(Reports *reports, int dir, unsigned depth) {
        SCOPED(listing_free) Listing *list = NULL;
        size_t n = strlen(reports->path);
        int r = depth > NAME_DEPTH_MAX ? 0 : listing_new(dir, &list);

        for (unsigned i = 0; list && i < list->n && r >= 0; i++) {
                autoclose int below = -EBADF;

                reports->path[n] = 0;
                if (!name_join(reports->path, reports->path, list->items[i].name))
                        continue;
                if (!list->items[i].is_dir)
                        r = take_file(reports, dir, list->items[i].name);
                else if ((below = beneath_dir(dir, list->items[i].name)) >= 0)
                        r = walk(reports, below, depth + 1);
        }
        reports->path[n] = 0;
        return r;
}

int results_reports(Results *results, const ReportsWhere *where, ResultsFileFn file,
                    const char *form, Error *err) {
        autofree Reports *reports = malloc(sizeof(*reports));
        int r;

        if (!reports)
                return error_set(err, -ENOMEM, "look for reports");
        *reports = (Reports){
                .results = results, .where = where, .file = file, .form = form, .err = err
        };
        r = where->dir < 0 ? 0 : walk(reports, where->dir, 0);
        return r < 0 && err->code == 0 ? error_set(err, r, "look for reports") : r;
}
