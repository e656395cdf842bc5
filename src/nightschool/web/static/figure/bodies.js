// Bodies, drawn from their states: where the arm and the things around it are.
//
// A body has `box` (left, bottom, width, height: what the drawing shows, y upwards, in the
// system's own lengths), the number of coordinates that it `needs`, and `pose(state)`: the points
// of its arm, and discs `[name, x, y, radius]`.

const PENDULUM = {
  box: [-1.25, -1.25, 2.5, 2.5],
  needs: 1,
  pose: ([angle]) => ({ arm: [[0, 0], [-Math.sin(angle), Math.cos(angle)]], discs: [] }),
};

// Reacher-v5: two links, from above.
const LINKS = [0.1, 0.11];
const REACHER = {
  box: [-0.25, -0.25, 0.5, 0.5],
  needs: 4,
  pose: ([first, second, x, y]) => {
    const elbow = [LINKS[0] * Math.cos(first), LINKS[0] * Math.sin(first)];
    const bend = first + second;
    const tip = [elbow[0] + LINKS[1] * Math.cos(bend), elbow[1] + LINKS[1] * Math.sin(bend)];
    return { arm: [[0, 0], elbow, tip], discs: [["target", x, y, 0.012]] };
  },
};

// Pusher-v5: each joint's offset from the one before, and the axis it turns about.
const JOINTS = [
  [[0, -0.6, 0], 2],
  [[0.1, 0, 0], 1],
  [[0, 0, 0], 0],
  [[0.4, 0, 0], 1],
  [[0, 0, 0], 0],
  [[0.321, 0, 0], 1],
  [[0, 0, 0], 0],
];
const GOAL = [0.45, -0.05];
const PUSHER = {
  box: [-0.4, -1.1, 1.5, 1.5],
  needs: 9,
  pose: (state) => ({
    arm: joints(state),
    discs: [
      ["target", ...GOAL, 0.08],
      ["object", GOAL[0] + state[8], GOAL[1] + state[7], 0.05],
    ],
  }),
};

const BODIES = { pendulum: PENDULUM, reacher: REACHER, pusher: PUSHER };

// The body of a system, by how its name begins; null where there is none to draw.
export function bodyOf(system, coordinates) {
  const name = Object.keys(BODIES).find((prefix) => system.toLowerCase().startsWith(prefix));
  return name && coordinates >= BODIES[name].needs ? BODIES[name] : null;
}

// Where the joints are, seen from above.
function joints(angles) {
  let axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]; // of the joint's frame, in the world
  let place = [0, 0, 0];
  return JOINTS.map(([offset, axis], i) => {
    place = place.map((at, k) => at + offset.reduce((sum, o, j) => sum + o * axes[j][k], 0));
    axes = turned(axes, axis, angles[i]);
    return place.slice(0, 2);
  });
}

function turned(axes, axis, angle) {
  const [one, two] = [(axis + 1) % 3, (axis + 2) % 3];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const made = [...axes];
  made[one] = axes[one].map((v, k) => cos * v + sin * axes[two][k]);
  made[two] = axes[two].map((v, k) => cos * v - sin * axes[one][k]);
  return made;
}
