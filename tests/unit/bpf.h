#pragma once
/*
 * bpf: a filter run over a struct seccomp_data, without a kernel: the instructions that a seccomp filter of
 * ours has, and no other. So a test sees what a filter decides on another architecture.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BPF_BROKEN \
        0xdead0000u /* jumped out, an unknown instruction, or an odd load: no answer of a filter */

static inline uint32_t bpf_word(const struct seccomp_data *data, uint32_t offset) {
        uint32_t word = 0;

        memcpy(&word, (const char *) data + offset, sizeof word);
        return word;
}

static inline int bpf_test(uint16_t code, uint32_t a, uint32_t k) {
        switch (BPF_OP(code)) {
        case BPF_JEQ:
                return a == k;
        case BPF_JGT:
                return a > k;
        case BPF_JGE:
                return a >= k;
        default:
                return -1;
        }
}

/* Returns: the filter's answer, or BPF_BROKEN. */
static inline uint32_t bpf_run(const struct sock_filter *code, size_t n,
                               const struct seccomp_data *data) {
        uint32_t a = 0;

        for (size_t at = 0; at < n; at++) {
                const struct sock_filter *op = &code[at];
                int yes;

                switch (op->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        if (op->k % 4 != 0 || op->k > sizeof *data - 4)
                                return BPF_BROKEN;
                        a = bpf_word(data, op->k);
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= op->k;
                        break;
                case BPF_RET | BPF_K:
                        return op->k;
                case BPF_JMP | BPF_JA:
                        at += op->k;
                        break;
                default:
                        yes = bpf_test(op->code, a, op->k);
                        if (BPF_CLASS(op->code) != BPF_JMP || BPF_SRC(op->code) != BPF_K || yes < 0)
                                return BPF_BROKEN;
                        at += yes ? op->jt : op->jf;
                }
        }
        return BPF_BROKEN;
}
