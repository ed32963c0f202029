"""The architecture of the hot path: what transforms are compiled from, and how a call reaches it.

**Terms**

- *Lanes*: the numbers of a SIMD vector. Kernels are written on an explicit vector type (`simd`), with
  ordinary operators: ``load``, ``spread`` (one number into all lanes), ``a * z + b``, ``store``. In the
  recursion the lanes are rings; a *block* of rings is one vector, of 8 lanes (narrow) or of as many as the
  registers hold (wide). Elsewhere the lanes are degrees, orders, samples of a ring, or maps of a batch.
- *Planes*: Fourier coefficients on the rings, ``planes[map, slot of the order m, re or im, ring]``. They lie
  between the two halves of a transform: the Legendre step (sums over degrees or rings at one m) and the FFT
  along phi (all m on one ring). Columns are northern rings, then southern ones, because a recursion runs for
  a ring and its mirror image at once.
- *Forms of the recursion* (`wigner_recursion`), all in the degree l, for one order m and one n = -spin: two
  degrees at a time in sin^2 or cos^2 of theta (n = 0); one degree at a time in y = 1 - cos(theta) (any n);
  differences of neighboring degrees (any n), which keep their digits near a pole. Every block of rings has
  one of them, by L and the angle of its ring nearest the pole. An order that is negligible on a block is
  skipped, and so are the first degrees of an order as long as they are negligible.
- *Plan* (`harmonic.plan`): what a transform of one grid and band-limit needs beside the data:
  the rings that the Legendre step visits, their weights, and, where these are not the rings of the grid
  (MW, MWSS, coarse CC), the tables of the theta step between the two. Plans are cached by grid and L.

**One call, from the outside in**, for ``spherekit.inverse(flm, L)``:

1. `harmonic.transform` checks the arguments, once.
2. `harmonic.dispatch` chooses the engine, once for a `Problem`, which carries the arguments.
3. `harmonic.engines.recursion` takes work memory and starts the threads.
4. `harmonic.steps.legendre_scalar` takes orders, four at a time, from the work queue. For each order it gets
   the coefficients of the recursion, and goes through the blocks of rings.
5. `kernels.wigner_recursion` sums the degrees of one order on one block: ``seed``, ``skip_negligible``,
   ``synthesize``.

Spin goes through `legendre_spin`; FFTs through `harmonic.steps.phi_fft` (`phi_fft_healpix`) and `fft`; small
band-limits and batches through the engines `precomputed` (tables and `matmul`) and `batched` (maps as lanes);
GPU arrays through `harmonic.engines.cuda` and `wigner_recursion_cuda`. Each step has its transpose beside it,
and a ``forward`` is the transpose of an ``inverse`` with other weights. Steps 1 to 3 are Python; 4 and 5 are
compiled and see arrays and numbers only. Each item of work owns its outputs, so that results do not depend
on the number of threads, bit for bit.

**Files**

- `simd`, `transpose`: the vector type and its operations; vectors as rows of a matrix that is transposed in
  registers. `simd_numpy`: the same operations in NumPy, for running the kernels without LLVM, in a debugger
  or under coverage (SPHEREKIT_SIMD=numpy): slow, and equal but for rounding.
- `work_queue`: the atomic counter that hands items of work to threads.
- `recursion_coefficients`: coefficients of all forms, cached up to L = 1024 (256 where |n| > 4).
- `wigner_recursion`: the recursion itself: norms, starts, sums over degrees and, transposed, over rings.
- `wigner_recursion_cuda`: the same steps with a CUDA thread to each ring.
- `packing`: coefficients ``flm[l*l + l + m]`` to rows over the degree, four orders at once, and back.
- `matmul`: products with precomputed tables.
- `fft_butterflies`, `fft`: radix steps, and transforms of any length with rings as lanes.

The loops that call these are compiled too, in the files of their purpose: `harmonic.steps`, the kernels of
the engines, `wigner.d_matrices` (all d^l at one angle), `wigner.functions` (columns d^l_mn) and
`wigner.rotation_kernels` (d^l(pi/2) applied to signals), `experiments.gaussianity.caps`.

**Compilation and cache** (`_core.jit`)

- ``jit`` compiles at the first call: without the GIL, with NumPy's division, and with fused multiply-adds as
  the only liberty in rounding. ``leaf`` is the same for functions that make no arrays: no reference counts.
- Compiled code is cached on disk (SPHEREKIT_CACHE), in a folder named after the content of *all* files with
  kernels. Numba itself looks for edits only in the file of the outermost function, and would run old code
  after an edit of a function in another file that it calls. So an edit of one file compiles everything again.
- Plain numbers travel in a NamedTuple; arrays are separate arguments. A tuple of arrays that a loop builds is
  counted, zeroed and copied each time (7 % of a synthesis at L = 256), and takes longer to compile.
- Kernels do not allocate in inner loops, know nothing of grids, and raise nothing: they return statistics of
  the input (NaN, symmetry defect, magnitude), which Python turns into errors.

**A new recursion** starts as a scalar step in plain operators beside ``step`` and ``difference_step``, which
vectors and CUDA threads share. Its coefficients go to `recursion_coefficients`; its loops (skip what is
negligible, sum over degrees, the transpose) to `wigner_recursion`, as a new form; `harmonic.steps.ring_lanes`
chooses the blocks for it, and the two Legendre steps call it there. Tests compare it with the definitions in
plain loops, and its transpose with it.
"""
