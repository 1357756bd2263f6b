const ADJECTIVES =
  'amused bold brave bright calm capable clean clever crisp curious dapper eager fair fast ' +
  'fine gentle glad grand handy happy honest keen kind lively loud lucky merry mild modest ' +
  'neat nimble nosy open patient polite proud quick quiet rare ready rich sharp shy silent ' +
  'simple sincere smart smooth steady stern strong sunny swift tidy trusting upbeat useful ' +
  'vivid warm wise witty';
const ANIMALS =
  'ant badger bass bear bee bird boar bug calf carp cat colt cow crab crane crow cub deer ' +
  'dog dolphin dove duck eagle eel elk finch fish fly foal fowl fox frog goat goose grouse ' +
  'gull hare hawk hen horse hound jay kit lamb lark lynx mare mink mole moose moth mouse ' +
  'mule newt otter owl panda perch pig pug quail ram rat ray rook seal shark shrew skunk ' +
  'sloth slug smelt snail snake sow squid stag steed stork swan toad trout turtle vole wasp ' +
  'whale wolf worm wren yak zebra';

/** `calm-otter-417` out of the random digits that end an id: people need a name to say. */
export function runName(id: string): string {
  const random = Number.parseInt(id.slice(-12), 16);
  const adjectives = ADJECTIVES.split(' ');
  const animals = ANIMALS.split(' ');
  const adjective = adjectives[random % adjectives.length];
  const animal = animals[Math.floor(random / 1000) % animals.length];
  return `${adjective}-${animal}-${Math.floor(random / 1e6) % 1000}`;
}
