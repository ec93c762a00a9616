/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What people read about a connection: phrases that the line and the ladder sink have in common.
 */
#ifndef SHK_WORDS_H
#define SHK_WORDS_H

#include "sink.h"
#include "text.h"

/* "three-way handshake"; "no answer after 3 SYN in 3.0 s" */
void shk_words_open(struct shk_text *t, const struct shk_conn *conn);

/* "four-segment close by client, → 79 B ← 14 kB in 180 ms" */
void shk_words_close(struct shk_text *t, const struct shk_conn *conn);

/* "curl[4711]" */
void shk_words_process(struct shk_text *t, const struct shk_process *process);

/* "curl[4711] → nginx[811]" after two blanks, dim; "→ nginx[811]" if only that end is known; or nothing */
void shk_words_processes(struct shk_text *t, const struct shk_conn *conn);

/* What was unusual, each preceded by a comma: ", SYN sent 3 times, data on ACK". */
void shk_words_open_notes(struct shk_text *t, const struct shk_conn *conn);
void shk_words_close_notes(struct shk_text *t, const struct shk_conn *conn);

/* "; why it failed", if something did */
void shk_words_blame(struct shk_text *t, const struct shk_conn *conn);

/* " (inferred)", " (partial: 17 events lost)"; nothing if there is no doubt */
void shk_words_doubt(struct shk_text *t, const struct shk_conn *conn);

/* Whole lines; 0 or -errno. */
int shk_words_header(struct shk_text *t, const struct shk_header *header);
int shk_words_lost(struct shk_text *t, const struct shk_loss *loss);
int shk_words_summary(struct shk_text *t, const struct shk_summary *summary);

#endif /* SHK_WORDS_H */
