/*
 * The ledger across versions: a file that an older warder left is brought to today's form with all that it holds, and comes
 * to the same tables as a fresh one. tests/unit/ledgers has such files, as SQL; they stay as they are, whatever today's
 * form is. What cannot be read or is of a newer warder is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fds.h"
#include "base/owned.h"
#include "supervisor/front/ledger.h"
#include "tests/tap.h"

#define TEXT_MAX (1 << 20)

DEFINE_SCOPED(Ledger *, ledger_free);

static char dir[] = "/tmp/warder-ledger-XXXXXX";

static const char *place(void) {
        static char path[64];

        (void) snprintf(path, sizeof(path), "%s/ledger.db", dir);
        return path;
}

static void clear(void) {
        char path[80];

        (void) unlink(place());
        (void) snprintf(path, sizeof(path), "%s-wal", place());
        (void) unlink(path);
}

/* Returns: fresh text, or NULL */
static char *read_sql(int forms, int form) {
        autoclose int fd = -EBADF;
        char *text = NULL, name[16];
        size_t n;

        (void) snprintf(name, sizeof(name), "%d.sql", form);
        fd = openat(forms, name, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && fd_read_all(fd, TEXT_MAX, &text, &n) >= 0 ? text : NULL;
}

/* Run @sql on the file as any other program would. */
static bool run(const char *sql) {
        sqlite3 *db = NULL;
        bool good = sqlite3_open(place(), &db) == SQLITE_OK &&
                    sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;

        (void) sqlite3_close(db);
        return good;
}

static int open_ledger(Ledger **ret, Error *err) {
        autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        *err = ERROR_EMPTY;
        return ledger_new(fd, false, ret, err);
}

/* Everything that makes the form of a file, as one text. */
static void describe(Ledger *ledger, char *text, size_t size) {
        Error err = ERROR_EMPTY;
        sqlite3_stmt *stmt = ledger_query(
                ledger, &err,
                "SELECT type || ' ' || name || ' ' || ifnull(sql, '') FROM sqlite_master"
                " ORDER BY type, name",
                "");
        size_t n = 0;

        *text = '\0';
        while (stmt && sqlite3_step(stmt) == SQLITE_ROW && n < size)
                n += (size_t) snprintf(text + n, size - n, "%s\n",
                                       (const char *) sqlite3_column_text(stmt, 0));
        (void) sqlite3_finalize(stmt);
}

static int64_t count(Ledger *ledger, const char *sql) {
        return ledger_number(ledger, -1, sql, "");
}

static int64_t newest;
static char form[32768];

static void test_fresh(void) {
        SCOPED(ledger_free) Ledger *ledger = NULL;
        Error err;

        is_number(open_ledger(&ledger, &err), 0, "a ledger is made where there is none");
        if (!ledger)
                return;
        newest = count(ledger, "PRAGMA user_version");
        describe(ledger, form, sizeof(form));
        ok(newest > 8 && strstr(form, "CREATE TABLE tasks"), "it has today's form");
}

static const struct Kept { /* rows of tests/unit/ledgers, by the form that first had them */
        int since;
        const char *sql;
} kept[] = {
        { 1,
          "SELECT count(*) FROM snapshots WHERE name = 'debian' AND owner = 1000 AND entries = 7" },
        { 1, "SELECT count(*) FROM holds WHERE holder = 'snapshot:1000:debian'" },
        { 1, "SELECT count(*) FROM loose WHERE digest = x'01'" },
        { 4, "SELECT count(*) FROM tasks WHERE id = 't-aaaaaaaaaa' AND summary = 'done'" },
        { 4, "SELECT count(*) FROM patches WHERE digest = x'05' AND patch = x'06'" },
        { 4, "SELECT count(*) FROM base_runs WHERE key = x'04'" },
        { 8, "SELECT count(*) FROM receipt_lines WHERE subject = 't-aaaaaaaaaa'" },
        { 8, "SELECT count(*) FROM task_steps WHERE path = 'plan' AND superseded = 0" },
        { 8, "SELECT count(*) FROM task_counters WHERE counters = x'08'" },
        { 8, "SELECT count(*) FROM questions WHERE decision = 'open'" },
};

static void check_old(int forms, int old) {
        SCOPED(ledger_free) Ledger *ledger = NULL;
        autofree char *sql = read_sql(forms, old);
        char now[sizeof(form)];
        Error err;

        clear();
        if (!ok(sql && run(sql), "a ledger of form %d", old))
                return;
        if (!ok(open_ledger(&ledger, &err) == 0, "is opened: %s", err.text))
                return;
        is_number(count(ledger, "PRAGMA user_version"), newest, "it has today's number");
        describe(ledger, now, sizeof(now));
        is_text(now, form, "and today's tables");
        for (unsigned i = 0; i < ELEMENTS(kept); i++)
                if (kept[i].since <= old)
                        is_number(count(ledger, kept[i].sql), 1, kept[i].sql);
        is_text(sqlite3_errmsg(ledger_db(ledger)), "not an error", "nothing is wrong with it");
}

static void test_newer(void) {
        SCOPED(ledger_free) Ledger *ledger = NULL;
        Error err;

        clear();
        ok(run("CREATE TABLE later (a); PRAGMA user_version = 1000"), "a ledger of a later warder");
        is_number(open_ledger(&ledger, &err), -ENOTSUP, "is refused");
        has_text(err.text, "newer warder (form 1000", "with the reason");
        ok(run("SELECT a FROM later"), "and left as it was");
}

/* A change that does not fit what is there is taken back whole. */
static void test_half(int forms) {
        SCOPED(ledger_free) Ledger *ledger = NULL;
        autofree char *sql = read_sql(forms, 1);
        Error err;

        clear();
        ok(sql && run(sql) && run("CREATE TABLE verdicts (mine)"),
           "a ledger with a table in the way");
        ok(open_ledger(&ledger, &err) < 0, "is not opened");
        has_text(err.text, "verdicts", "the reason names it");
        ok(run("DROP TABLE verdicts") && !run("SELECT * FROM gate_setups"),
           "nothing of the change that failed is there");
        is_number(open_ledger(&ledger, &err), 0, "with that table gone it is opened");
}

static void test_no_ledger(void) {
        SCOPED(ledger_free) Ledger *ledger = NULL;
        autoclose int fd = -EBADF;
        Error err;

        clear();
        fd = open(place(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ok(fd_write_all(fd,
                        "this is no ledger, and longer than a header of one is, by far; "
                        "so it cannot be taken for an empty file.......................",
                        120) == 0,
           "a file that is no ledger");
        ok(open_ledger(&ledger, &err) < 0, "is refused: %s", err.text);
}

int main(void) {
        static const int old[] = { 1, 4, 8 };
        const char *source = getenv("top_srcdir");
        char path[4096];
        autoclose int forms = -EBADF;

        (void) snprintf(path, sizeof(path), "%s/tests/unit/ledgers", source ? source : ".");
        forms = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!ok(forms >= 0 && mkdtemp(dir), "ledgers of other days, and a place"))
                return tap_end();
        test_fresh();
        for (unsigned i = 0; i < ELEMENTS(old); i++)
                check_old(forms, old[i]);
        test_newer();
        test_half(forms);
        test_no_ledger();
        clear();
        ok(chdir("/") == 0 && rmdir(dir) == 0, "nothing else is left in the state directory");
        return tap_end();
}
