/*
 * ended: see ended.h.
 */
#include "sandbox/init/ended.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "base/fds.h"
#include "base/owned.h"
#include "base/units.h"
#include "sandbox/init/command.h"

#define DRAIN_MAX     (1u << 20)
#define RUSAGE_BLOCK  512u /* ru_inblock and ru_oublock: bytes >> 9 */
#define DISK_LEFT     (2u << 20)
#define DISK_NO_BLOCK 1u
#define DISK_NO_INODE 2u

/* ---- output --------------------------------------------------------------------------------------- */

void slot_output(Init *init, Slot *slot, unsigned stream) {
        Command *command = &slot->command;
        uint64_t seen = command->streams[0].seen + command->streams[1].seen;
        InitEvent event = { .kind = INIT_OUTPUT_LIMIT, .id = command->id };

        /* one byte more than allowed tells a full output from one that goes on */
        (void) capture_read(&command->streams[stream], command->output_max - seen < DRAIN_MAX
                                                               ? command->output_max - seen + 1
                                                               : DRAIN_MAX);
        seen = command->streams[0].seen + command->streams[1].seen;
        if (seen <= command->output_max)
                return;
        command->output_stopped = true;
        init_send(init, &event, NULL);
}

/* What a pipe still holds when the command is dead; who lives on writes into a closed one. */
static void drain(Init *init, Slot *slot) {
        unsigned i;

        for (i = 0; i < 2; i++)
                if (slot->command.streams[i].fd >= 0 && !slot->command.output_stopped) {
                        capture_hurry(&slot->command.streams[i]);
                        slot_output(init, slot, i);
                }
}

static void hand_streams(Command *command, InitEvent *event, int *fds) {
        unsigned i;

        for (i = 0; i < 2; i++) {
                if (!command->streams[i].used)
                        continue;
                event->seen[i] = command->streams[i].seen;
                fds[event->n_fds] =
                        capture_end(&command->streams[i], &event->kept[i], &event->cut_at[i]);
                if (fds[event->n_fds] < 0)
                        fds[event->n_fds] = open("/dev/null", O_RDONLY | O_CLOEXEC);
                event->n_fds++;
        }
}

/* ---- the end -------------------------------------------------------------------------------------- */

/* One that writes much at a time is refused by ext4 while there is a little left: all of it, or nothing */
static uint32_t full(const char *path, uint64_t left) {
        struct statvfs st;

        if (statvfs(path, &st) < 0)
                return 0;
        return (st.f_bavail * st.f_frsize <= left ? DISK_NO_BLOCK : 0) |
               (st.f_ffree == 0 ? DISK_NO_INODE : 0);
}

uint32_t upper_full(const Init *init) {
        return full("/tmp", 0) | (init->flags & BOOT_DISK ? full("/", DISK_LEFT) : 0);
}

int upper_measure(const Init *init, InitEvent *event) {
        struct statvfs st;

        if (statvfs(init->flags & BOOT_DISK ? "/" : "/tmp", &st) < 0)
                return -errno;
        event->seen[0] = (uint64_t) (st.f_blocks - st.f_bfree) * st.f_frsize;
        event->seen[1] = (uint64_t) st.f_blocks * st.f_frsize;
        event->kept[0] = st.f_files - st.f_ffree;
        event->kept[1] = st.f_files;
        return 0;
}

static uint64_t usec_of(const struct timeval *time) {
        return (uint64_t) time->tv_sec * 1000000 + (uint64_t) time->tv_usec;
}

static void fill_end(Init *init, const Command *command, InitEvent *event, int status,
                     const struct rusage *usage) {
        event->code = command->state == COMMAND_FAILED ? command->code
                      : WIFEXITED(status)              ? WEXITSTATUS(status)
                                                       : 0;
        event->step = command->state == COMMAND_FAILED ? command->step : INIT_STEP_NONE;
        event->signal =
                command->state != COMMAND_FAILED && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        event->wall_usec = units_monotonic() - command->start_usec;
        event->disk_full = init->disk_full = upper_full(init);
        event->disk_before = command->disk_before;
        if (!usage)
                return;
        event->user_usec = usec_of(&usage->ru_utime);
        event->sys_usec = usec_of(&usage->ru_stime);
        event->maxrss_bytes = (uint64_t) usage->ru_maxrss * 1024;
        event->io_read = (uint64_t) usage->ru_inblock * RUSAGE_BLOCK;
        event->io_written = (uint64_t) usage->ru_oublock * RUSAGE_BLOCK;
}

/*
 * Do as many children wait, or are wanted, as a jail begins with? Each counts in the jail's processes, so many
 * commands at once must not leave as many behind.
 */
static bool enough_wait(const Init *init) {
        unsigned waiting = 0, i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                const Slot *slot = &init->slots[i];

                waiting += slot->command.state == COMMAND_NONE && (slot->sock >= 0 || slot->want);
        }
        return waiting >= JAIL_SLOTS_FIRST;
}

void command_ended(Init *init, Slot *slot, int status, const struct rusage *usage) {
        Command *command = &slot->command;
        InitEvent event = { .kind = INIT_ENDED, .id = command->id };
        uint64_t populated = 1;
        int fds[2] = { -EBADF, -EBADF };

        pending_deinit(&command->pending);
        drain(init, slot);
        fill_end(init, command, &event, status, usage);
        hand_streams(command, &event, fds);
        event.pid = (uint32_t) slot->ended;
        fds_close(&slot->sock, 1);
        (void) fd_read_keyed(slot->events, "populated", &populated);
        event.value = populated;
        slot->killed |= populated; /* it may be killed now, after the command's end */
        slot->left = populated;
        keys_end(&command->keys);
        *command = (Command){ .streams = { CAPTURE_EMPTY, CAPTURE_EMPTY }, .keys = KEYS_EMPTY };
        slot->want = populated == 0 && !slot->narrow && !init->last && !enough_wait(init);
        init_send(init, &event, fds);
        fds_close(fds, 2);
}

static void reap_one(Init *init, pid_t pid, int status, const struct rusage *usage) {
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++) {
                Slot *slot = &init->slots[i];

                if (slot->pid != pid)
                        continue;
                slot_word(init, slot);
                if (slot->pid != pid)
                        return; /* it never read its command, and another child has that now */
                slot->pid = 0;
                slot->ended = pid;
                slot->killed |= WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
                if (slot->command.state != COMMAND_NONE)
                        command_ended(init, slot, status, usage);
                else
                        fds_close(&slot->sock, 1);
        }
}

/* A child says its pid before it can do anything, so whoever is dead has said it, or was never let run. */
static void learn_pids(Init *init) {
        unsigned i;

        for (i = 0; i < JAIL_SLOTS_MAX; i++)
                if (init->slots[i].pid == 0)
                        slot_word(init, &init->slots[i]);
}

void reap_all(Init *init) {
        struct rusage usage;
        pid_t pid;
        int status;

        while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
                learn_pids(init); /* each time: taking one end may have started another child */
                reap_one(init, pid, status, &usage);
        }
}
