/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts a function between any two of its instructions.
 *
 * What an interrupt may do to a hook, a signal handler may do to a function: the processor's trap flag
 * raises SIGTRAP after each instruction, and at the one chosen the handler runs the interrupting
 * code. Running this for every n gives all interleavings of a function with one interruption, which no
 * number of threads can promise. x86-64 only; elsewhere SINGLE_STEP is not defined.
 */
#ifndef TEST_SINGLE_STEP_H
#define TEST_SINGLE_STEP_H

#include <signal.h>
#include <string.h>
#include <ucontext.h>

#ifdef __x86_64__
#define SINGLE_STEP	1
#define SINGLE_STEP_TRAP_FLAG	0x100

static struct {
	void	    (*interrupt)(void *);
	void	     *arg;
	unsigned long steps_left;
	int	      begun;
	int	      fired;
} single_step_now;

static inline void single_step_trap(int number, siginfo_t *info, void *context)
{
	greg_t *flags = &((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL];

	(void)number;
	if (info->si_code != TRAP_TRACE) {	/* INT3: the beginning or the end */
		if (single_step_now.begun)
			*flags &= ~SINGLE_STEP_TRAP_FLAG;
		else
			*flags |= SINGLE_STEP_TRAP_FLAG;
		single_step_now.begun = 1;
		return;
	}
	if (--single_step_now.steps_left)
		return;
	*flags &= ~SINGLE_STEP_TRAP_FLAG;
	single_step_now.fired = 1;
	single_step_now.interrupt(single_step_now.arg);
}

#define SINGLE_STEP_MARK()	__asm__ volatile("int3" : : : "memory", "cc")

/*
 * Runs @function(@arg), interrupted by @interrupt(@arg) after its @n-th instruction, from 1.
 * Returns 0 if @function was over before that, and then @interrupt was not run.
 */
static inline int single_step_run(void (*function)(void *), void (*interrupt)(void *), void *arg,
				  unsigned long n)
{
	struct sigaction trap = { .sa_sigaction = single_step_trap, .sa_flags = SA_SIGINFO }, before;

	single_step_now.interrupt = interrupt;
	single_step_now.arg = arg;
	single_step_now.steps_left = n;
	single_step_now.begun = 0;
	single_step_now.fired = 0;
	sigaction(SIGTRAP, &trap, &before);
	SINGLE_STEP_MARK();
	function(arg);
	SINGLE_STEP_MARK();
	sigaction(SIGTRAP, &before, NULL);
	return single_step_now.fired;
}
#endif /* __x86_64__ */

#endif /* TEST_SINGLE_STEP_H */
