/*
 * The life of a segment, as in assembly/segment.ts and takeover.ts.
 *
 * Lanes claim free segments, fill and seal them, clean sealed ones and retire them. A segment's
 * state, lane and stamp are one word, changed by compare-and-swap. A lane may be stopped for as long
 * as it likes between reading a word and swapping it, and lane 0 may die at any step; another lane
 * then takes over from it.
 *
 * Checked: a segment is claimed only when no lane that was announced at its retirement is announced
 * still; it has one owner at a time; after a death and a takeover no segment stays behind.
 *
 * Mutants that must fail:
 *   NOSTAMP    the swap compares the state and not the stamp
 *   NOPUTBACK  the takeover leaves what the dead lane was cleaning
 */
#ifndef LANES
#define LANES 2
#endif
#ifndef OPS
#define OPS 3
#endif
#define SEGMENTS 1
#define NOBODY 9
#define FREE 0
#define ACTIVE 1
#define SEALED 2
#define CLEANING 3
#define RETIRED 4

byte epoch = 1;
byte age = 1;
byte announced[LANES];
byte state[SEGMENTS];
byte owner[SEGMENTS] = NOBODY;
byte stamp[SEGMENTS];
/* Lanes that were announced when the segment retired, a bit each, and are announced still. */
byte held[SEGMENTS];
bool dead;
bool buried;

inline pin() {
  atomic { seen = epoch };
  atomic { announced[me] = seen }
}

inline unpin_lane(l) {
  atomic {
    announced[l] = 0;
    s = 0;
    do :: s < SEGMENTS -> held[s] = held[s] & ~(1 << l); s++ :: else -> break od;
    s = 0
  }
}

inline find_safe() {
  atomic { safe = epoch; n = 0 };
  do
  :: n < LANES ->
     atomic {
       if
       :: announced[n] != 0 && announced[n] < safe -> safe = announced[n]
       :: else
       fi;
       n++
     }
  :: else -> break
  od
}

#ifdef NOSTAMP
#define SAME (state[s] == wasState)
#else
#define SAME (state[s] == wasState && stamp[s] == wasStamp)
#endif

inline read_word() {
  atomic { wasState = state[s]; wasStamp = stamp[s] }
}

/* FREE or RETIRED to ACTIVE, and then to SEALED: the segment was filled. */
inline fill() {
  find_safe();
  read_word();
  if
  :: wasState == FREE || (wasState == RETIRED && wasStamp < safe) ->
     atomic {
       if
       :: SAME ->
          assert(held[s] == 0);
          assert(owner[s] == NOBODY);
          state[s] = CLEANING; owner[s] = me; stamp[s] = age; age++; mine = true
       :: else -> mine = false
       fi
     };
     if
     :: mine ->
        die_here();
        atomic { state[s] = ACTIVE };
        die_here();
        atomic { assert(owner[s] == me); state[s] = SEALED; owner[s] = NOBODY }
     :: else
     fi
  :: else
  fi
}

/* SEALED to CLEANING, and then to RETIRED: its items were moved or removed. */
inline clean() {
  read_word();
  if
  :: wasState == SEALED ->
     atomic {
       if
       :: SAME -> assert(owner[s] == NOBODY); state[s] = CLEANING; owner[s] = me; mine = true
       :: else -> mine = false
       fi
     };
     if
     :: mine ->
        die_here();
        atomic { seen = epoch; epoch++; n = 0;
          do :: n < LANES && announced[n] != 0 -> held[s] = held[s] | (1 << n); n++
             :: n < LANES && announced[n] == 0 -> n++
             :: else -> break
          od };
        die_here();
        atomic { assert(owner[s] == me); state[s] = RETIRED; stamp[s] = seen; owner[s] = NOBODY }
     :: else
     fi
  :: else
  fi
}

inline die_here() {
  if
  :: me == 0 && !dead -> dead = true; goto end
  :: skip
  fi
}

/* What takeOver(0) does for segments and the epoch. */
inline bury() {
  atomic {
    if
    :: owner[s] == 0 && state[s] == ACTIVE -> state[s] = SEALED; owner[s] = NOBODY
#ifndef NOPUTBACK
    :: owner[s] == 0 && state[s] == CLEANING -> state[s] = SEALED; owner[s] = NOBODY
#endif
    :: else
    fi;
  };
  unpin_lane(0);
  buried = true
}

proctype lane_of(byte me) {
  byte seen, safe, n, s, wasState, wasStamp, ops;
  bool mine;
  do
  :: ops == OPS -> break
  :: ops < OPS ->
     ops++;
     pin();
     die_here();
     if :: fill() :: clean() fi;
     unpin_lane(me);
     if
     :: me != 0 && dead && !buried -> bury()
     :: else
     fi
  od;
  if
  :: me == 1 ->
     if
     :: dead && !buried -> bury()
     :: else
     fi;
     if
     :: buried -> assert(owner[0] != 0)
     :: else
     fi
  :: else
  fi;
end: skip
}

init {
  atomic {
    byte k = 0;
    do :: k < LANES -> run lane_of(k); k++ :: else -> break od
  }
}
