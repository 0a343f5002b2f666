/* report-write: see report-write.h. */
#include "cli/report-write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "cli/as-user.h"
#include "cli/report-html.h"
#include "cli/report-junit.h"
#include "cli/report-markdown.h"

bool report_wanted(const ReportOptions *options, const char *out) {
        return out || options->junit || options->summary || options->html;
}

int report_make(Report *report, ReportFiles *ret, Error *err) {
        int r = report_gather(report);

        if (r == 0) {
                ret->junit = report_junit(report);
                ret->summary = report_markdown(report);
                ret->html = report_html(report);
        }
        report_deinit(report);
        if (r < 0 || !ret->junit || !ret->summary || !ret->html)
                return error_set(err, -ENOMEM, "write the report");
        return 0;
}

void report_files_deinit(ReportFiles *files) {
        free(files->junit);
        free(files->summary);
        free(files->html);
        *files = (ReportFiles){ 0 };
}

void report_files_list(const ReportFiles *files, OutFile *ret) {
        ret[0] = (OutFile){ "junit.xml", files->junit, -EBADF };
        ret[1] = (OutFile){ "summary.md", files->summary, -EBADF };
        ret[2] = (OutFile){ "report.html", files->html, -EBADF };
}

/* A summary goes behind what is there: other steps of the job write to the same page. */
static int open_file(const char *path, bool append, Error *err) {
        User user;
        int fd;

        if (strcmp(path, "-") == 0) {
                fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
                return fd < 0 ? error_set(err, -errno, "write to stdout") : fd;
        }
        user_of_caller(&user);
        return as_user_open(&user, path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), err);
}

int report_check(const ReportOptions *options, Error *err) {
        const char *const paths[] = { options->junit, options->summary, options->html };

        for (size_t i = 0; i < ELEMENTS(paths); i++) {
                int fd = paths[i] ? open_file(paths[i], true, err) : -EBADF;

                if (paths[i] && fd < 0)
                        return fd;
                if (fd >= 0)
                        (void) close(fd);
        }
        return 0;
}

static int save_one(const char *path, const char *text, bool append, Error *err) {
        autoclose int fd = -EBADF;
        int r;

        if (!path)
                return 0;
        fd = open_file(path, append, err);
        if (fd < 0)
                return fd;
        r = fd_write_all(fd, text, strlen(text));
        return r < 0 ? error_set(err, r, "write %s", path) : 0;
}

int report_save(const ReportOptions *options, const ReportFiles *files, Error *err) {
        int r = save_one(options->junit, files->junit, false, err);

        if (r == 0)
                r = save_one(options->summary, files->summary, true, err);
        return r < 0 ? r : save_one(options->html, files->html, false, err);
}
