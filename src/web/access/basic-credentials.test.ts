import { basicCredentialsOf } from './basic-credentials';

function header(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

it('reads a user and a password, which may hold colons and any letter', () => {
  expect(basicCredentialsOf(header('alice:s3:cret'))).toEqual({ user: 'alice', password: 's3:cret' });
  expect(basicCredentialsOf(header('älice:'))).toEqual({ user: 'älice', password: '' });
  expect(basicCredentialsOf(header(':'))).toEqual({ user: '', password: '' });
});

it.each([undefined, '', 'Basic', 'Basic ', 'Basic !!!', 'Bearer YTpi', header('nocolon'), `Basic ${'A'.repeat(5000)}`])(
  'takes %p for no login',
  (text) => {
    expect(basicCredentialsOf(text)).toBeNull();
  },
);
